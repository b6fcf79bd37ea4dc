"""Where dumps come from: files, standard input, the node itself. Bytes become text here and nowhere else."""

from ipt_explain.inputs.decoding import decode
from ipt_explain.inputs.files import InputText, read_inputs

__all__ = ["InputText", "decode", "read_inputs"]
