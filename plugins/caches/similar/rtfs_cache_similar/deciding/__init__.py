"""Whether a similar request's answer is served: gates, a model of P(same answer), and a bound that holds."""

from rtfs_cache_similar.deciding.decider import Decider, DeciderSettings
from rtfs_cache_similar.deciding.looks import Look, Near, Unread

__all__ = ["Decider", "DeciderSettings", "Look", "Near", "Unread"]
