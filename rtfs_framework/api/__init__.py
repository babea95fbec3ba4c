"""All that a plugin may import: hook markers and specs, entry records, protocols, types, errors.

One flat face over the modules behind it; names are loaded on first use, so a plugin pays for what it takes.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

API_VERSION = 2
"""The plugin API's version. A plugin says which one it was written for: `rtfs_api_version = 2` in its module."""

OLDEST_API_VERSION = 2
"""The oldest one that this host serves. What is only added keeps it; docs/reference/hooks.md says what changed."""

_HOMES = {
    "errors": ("PluginError", "ProviderError", "ProviderTimeout", "RateLimited", "ProviderAuthError",
               "ProviderUnavailable", "ProviderRedirected", "ProviderDeclined", "RemoteFailed",
               "BadReply", "ReplyTooLarge", "ReplyRefused", "ContextOverflow",
               "ConfigError", "CapabilityError", "ProgramError", "RtfsError",
               "LanguageError", "InternalError"),
    "hookspecs": ("hookimpl", "RtfsHookSpecs"),
    "targets": ("ExecTarget", "LocalPure", "LocalModel", "RemoteModel", "Capability", "L4CacheHit", "Deny", "Ask",
                "TargetText", "show_target"),
    "plans": ("DelegationPlan", "PlanSource", "Candidate", "Hedge", "Scored"),
    "attempts": ("Attempt", "FailureKind"),
    "signals": ("Health", "Latency", "Left", "Price"),
    "approval": ("ApprovalRequest",),
    "caller": ("DelegationMetadata", "Described", "Permissions"),
    "context": ("CallContext", "Heard"),
    "ledger": ("Account", "Amount", "BudgetClaim", "ExhaustedError", "Ledger", "LedgerEntry", "LedgerError",
               "LedgerSettings", "Limit", "Reservation", "Standing", "Typical", "lacking"),
    "queue": ("Queue", "QueueEntry", "QueueError", "QueueFullError", "QueueItem", "QueueSettings", "Lease",
              "LeaseLostError", "ItemCount", "ItemFilter", "ItemState", "ItemStatus", "Placed", "MOST_PAYLOAD",
              "PRIORITIES", "STATES", "ENDED", "checked_bytes", "checked_topic"),
    "labels": ("Label", "PUBLIC"),
    "learning": ("LearningEngine", "MOST_NOTE", "Outcome", "ProposingEngine", "State", "Stats", "Warm", "WarmContext"),
    "experience": ("Experience", "ExperienceLayer", "ExperienceQuestion", "PlanOutcomes", "Situation"),
    "endpoints": ("Endpoint", "BadEndpoint", "read_endpoint", "http_url"),
    "embedder": ("Embedder", "EmbedderEntry", "EmbedderSettings"),
    "engine": ("Children", "DelegationEngine", "EngineEntry", "EngineSettings"),
    "executor": ("Ended", "Executor", "ExecutorEntry", "ExecutorSettings", "Work"),
    "provider": ("Member", "ModelProvider", "ProviderEntry", "InferenceRequest", "InferenceReply", "Message", "Usage",
                 "ProviderSettings", "Locality", "token_count", "ChatRequest", "ModelStatus"),
    "remote": ("Allowance", "AskedBy", "Bounds", "Followed", "Journey", "MOST_HOPS", "Offer", "OfferedTarget",
               "RemoteRun", "Travel", "Travelling"),
    "cache": ("CacheLayer", "CacheEntry", "CacheKey", "CacheRecord", "CacheStats", "CacheLevel", "CacheSettings",
              "CacheInfo", "CacheItem", "NO_INFO", "Claim", "ClaimingLayer", "QuickLayer", "Seal"),
    "bounded": ("BoundedCache", "POLICIES", "Policy", "memory_taken"),
    "similar": ("Served", "SimilarLayer", "SimilarQuestion", "SimilarReport", "SimilarScope", "SimilarVerdict"),
    "proxies": ("proxy_variable",),
    "store": ("Store", "StoreEntry", "StoreSettings"),
    "store_rules": ("StoreFaults", "NAMES_LIST", "blob_path", "name_path", "path_digest", "path_name"),
    "capability": ("CapabilityEntry", "CapabilityGrant", "CapabilityHandler", "CapabilityRequest", "CapabilitySet",
                   "CapabilitySetEntry", "CapabilitySetSettings", "Later", "Speech", "not_granted"),
    "command": ("CommandEntry", "ask_local_models", "observer_settings_of", "set_settings", "vectors_of"),
    "guard": ("Guard", "GuardEntry", "GuardSettings", "GuardedRequest", "RedactArgs", "RedactReply", "Refuse"),
    "functions": ("library", "visible", "visible_line"),
    "patterns": ("compile_patterns", "is_pattern", "specificity"),
    "observer": ("Observer", "ObserverEntry", "ObserverSettings", "Event"),
    "redaction": ("Recognizer", "RuleText"),
    "texts": ("TextInKeyError", "with_texts"),
    "type_patterns": ("BadTypePattern", "TypePattern", "types_fit"),
    "typed": ("JsonError", "from_json", "load_json", "parse_type", "read_value", "show_type", "to_json",
              "violation"),
    "values": ("HostCall", "CallKind", "FunctionSignature", "Parameter", "DelegationHint", "HintKind", "Keyword",
               "Map", "Type", "Value", "write", "digest", "Clock"),
    "secrets": ("blotter", "one_line"),
    "settings": ("SettingsSchema", "ANY", "FILE_WITHIN"),
    "units": ("Seconds", "Milliseconds", "Bytes", "Megabytes", "plausible"),
    "prices": ("ModelPrices", "PriceList", "PriceStep"),
    "regular_file": ("read_regular",),
    "csv_rows": ("CsvError", "CsvRows", "twice_named"),
    "private": ("private_file", "private_folder"),
    "sqlite_held": ("HeldFile",),
    "sqlite_cache": ("CacheFaults", "CacheFile"),
    "forks": ("free_at_forks",),
    "sqlite_file": ("SqliteTables", "NotOurFileError", "open_sqlite", "in_transaction"),
    "toml_places": ("Places", "KeyPath", "load_toml", "read_toml"),
    "toml_structure": ("structure",),
}  # fmt: skip

_LAZY = {name: module for module, names in _HOMES.items() for name in names}

__all__ = ["API_VERSION", "OLDEST_API_VERSION", *_LAZY]  # noqa: PLE0604 - the names are literals in _HOMES


def __getattr__(name: str) -> Any:
    """Load a public name from its module (PEP 562)."""
    home = _LAZY.get(name)
    if home is None:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value
