"""What nftables rules mean to the kernel: when chains run, and what a rule does with a packet."""

from ipt_explain.netfilter.nft.columns.evaluator import ColumnEvaluator
from ipt_explain.netfilter.nft.evaluator import NftEvaluator
from ipt_explain.netfilter.nft.stages import Stage, stages
from ipt_explain.netfilter.nft.ways import AlikePackets, CommonWay, Leap, Leaps, Way

__all__ = ["AlikePackets", "ColumnEvaluator", "CommonWay", "Leap", "Leaps", "NftEvaluator", "Stage", "Way", "stages"]
