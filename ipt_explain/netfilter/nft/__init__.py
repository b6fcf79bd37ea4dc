"""What nftables' rules mean to the kernel: when chains are asked, what a rule makes of a packet."""

from ipt_explain.netfilter.nft.evaluator import Evaluator
from ipt_explain.netfilter.nft.stages import Stage, stages
from ipt_explain.netfilter.nft.ways import Leap, Way

__all__ = ["Evaluator", "Leap", "Stage", "Way", "stages"]
