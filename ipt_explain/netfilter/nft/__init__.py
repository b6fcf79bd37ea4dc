"""What nftables rules mean to the kernel: when chains run, and what a rule does with a packet."""

from ipt_explain.netfilter.nft.columns.evaluator import Columns
from ipt_explain.netfilter.nft.evaluator import Evaluator
from ipt_explain.netfilter.nft.stages import Stage, stages
from ipt_explain.netfilter.nft.ways import CommonWay, Leap, Leaps, Way

__all__ = ["Columns", "CommonWay", "Evaluator", "Leap", "Leaps", "Stage", "Way", "stages"]
