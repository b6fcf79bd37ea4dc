"""Reading dumps from files, standard input and the node itself. Only this layer turns bytes into text."""

from ipt_explain.inputs.decoding import decode
from ipt_explain.inputs.files import InputText, read_inputs

__all__ = ["InputText", "decode", "read_inputs"]
