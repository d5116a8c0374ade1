"""Gates: what a candidate must pass before it is proposed."""

from training.gates.evidence import CandidateEvidence
from training.gates.gates import Comparison, Gate, Score
from training.gates.latency import latency_p95
from training.gates.slices import SliceScore
from training.gates.validate import Verdict, validate

__all__ = ["CandidateEvidence", "Comparison", "Gate", "Score", "SliceScore", "Verdict", "latency_p95", "validate"]
