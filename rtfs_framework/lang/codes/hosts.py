"""E0601 to E0811: providers, configurations, policy, the journal and plugins."""

from __future__ import annotations

from rtfs_framework.lang.codes.record import enter

enter("E0601", "a provider could not answer", "The message has the provider's reason. The program sees NetworkError.")
enter(
    "E0602",
    "no reply in time",
    "The provider did not answer within its timeout; the call was repeated as often as retries allow. A plain number "
    "counts milliseconds; a text has its unit.",
    language="toml",
    right="[delegation.remote_providers.openai]\ntimeout = '60s'\n",
)
enter(
    "E0603",
    "the provider asks to wait",
    "Too many requests, or the quota is used up. Lower [delegation] concurrency, or wait as long as it says.",
)
enter(
    "E0604",
    "no usable key",
    "The provider's key is missing or refused. The message names the environment variable, never its value.",
    language="console",
    right="export OPENAI_API_KEY=...",
)
enter(
    "E0605",
    "a provider cannot be reached",
    "There is no connection, it was closed, or the provider failed on its side. Check the endpoint and the network.",
)
enter(
    "E0606",
    "a reply that does not fit",
    "The model's reply is no valid value of the function's result type, and asking again did not help. A narrower "
    "type, such as an enumeration, or a clearer doc string does.",
)
enter(
    "E0607",
    "a reply beyond its bound",
    "The provider's reply is larger, once unpacked, than is read of any (max_reply, 16 MiB unless its table says "
    "otherwise). What came of it was thrown away. Ask for less, or raise the bound if such replies are meant.",
    language="toml",
    right='[delegation.remote_providers.openai]\nmax_reply = "64 MiB"\n',
)
enter(
    "E0608",
    "the provider points elsewhere",
    "Its server answered with a redirect to another host, or with one that would drop the request's body. Neither is "
    "followed: the arguments go where the configuration says and nowhere else. Write the address that is meant into "
    "'endpoint'.",
    language="toml",
    right='[delegation.remote_providers.house]\nprovider = "openai"\nendpoint = "https://models.example.org/v1"\n',
)
enter("E0700", "a configuration cannot be read", "It is there, but cannot be opened. Check the path and its rights.")
enter(
    "E0701",
    "not TOML",
    "The configuration's text breaks the rules of TOML; the report points at the place.",
    "[delegation\n",
    "[delegation]\n",
    language="toml",
)
enter(
    "E0702",
    "unknown key",
    "Every key must be known, so that a misspelling cannot switch something off. The report names the nearest one.",
    "[delegation]\ndefault_traget = 'local-pure'\n",
    "[delegation]\ndefault_target = 'local-pure'\n",
    language="toml",
)
enter(
    "E0703",
    "a value of another type",
    "The key takes a value of another type, for example a number without quotes.",
    "[delegation]\nconcurrency = 'four'\n",
    "[delegation]\nconcurrency = 4\n",
    language="toml",
)
enter(
    "E0704",
    "a key is missing",
    "The table needs this key.",
    "[delegation.local_models.phi]\ntimeout = '5s'\n",
    "[delegation]\n",
    language="toml",
)
enter(
    "E0705",
    "a value out of range, or not among the choices",
    "The report lists what is allowed.",
    "[security]\nlevel = 'contolled'\n",
    "[security]\nlevel = 'controlled'\n",
    language="toml",
)
enter(
    "E0706",
    "a name that nothing bears",
    "No target, provider, engine or cache of that name is configured or installed. The report names the nearest.",
    "[delegation]\ndefault_target = 'local-pur'\n",
    "[delegation]\ndefault_target = 'local-pure'\n",
    language="toml",
)
enter(
    "E0707",
    "a number that is hardly meant",
    "A warning: the number is allowed, but so small or large that its unit was probably mistaken. Write a text with "
    "the unit, and nothing is said any more.",
    language="toml",
    right="[delegation.remote_providers.openai]\ntimeout = '20s'\n",
)
enter(
    "E0715",
    "a configuration that is not trusted",
    "A warning: a delegation.toml that was found beside a program, or in the current folder, may be anybody's. Until "
    "you trust it, it can narrow what is allowed and choose among known targets; whatever asks for more is ignored. "
    "Read it, then trust it with its present content.",
    "rtfs run triage.rtfs",
    "rtfs config trust",
    language="console",
)
enter(
    "E0716",
    "a configuration file that is refused",
    "Somebody else owns it, or could write or replace it, or it is a link, a pipe or huge. Make it a file of your own "
    "that only you can write.",
    language="console",
    right="chmod go-w delegation.toml",
)
enter(
    "E0718",
    "a key that does not go there",
    "A key goes only to the hosts that it is bound to: the vendor's own, those that your own configuration names "
    "together with the key, and those of its table [keys]. A file beside a program cannot send it elsewhere. No key "
    "goes over plain http, except to this machine.",
    language="toml",
    right="[keys]\nMODELS_KEY = 'https://models.example'\n",
)
enter(
    "E0717", "trust that cannot be kept", "The folder with what you trust must be yours alone: mode 0700, files 0600."
)
enter(
    "E0710",
    "denied by the policy",
    "All is denied that [security] does not grant; deny rules win over grants. The error says which rule it was.",
    language="toml",
    right="[security]\nlevel = 'controlled'\n",
)
enter("E0711", "unknown capability", "No plugin offers it. `rtfs plugins` lists what is installed.")
enter("E0712", "unknown target", "A hint or route names a model, provider or target that is not configured.")
enter(
    "E0713",
    "a capability failed",
    "The capability's own message follows. The program may catch the error.",
)
enter("E0714", "a target that this host cannot serve", "The plan names a kind of target that nothing here implements.")
enter("E0720", "the journal cannot be written or read", "Free some space, or choose another place with [journal] path.")
enter(
    "E0801",
    "a plugin broke its contract",
    "The message names the distribution. Update it, or tell its authors.",
)
enter("E0802", "a plugin cannot be imported", "It is left out; everything else works. Reinstall or remove it.")
enter("E0803", "a plugin implements a hook that there is not", "It is misspelt, or made for another version.")
enter("E0804", "a plugin for another version of the API", "Install a version of it that fits this version of rtfs.")
enter("E0805", "a plugin's hook gave nothing usable", "It raised an error, or returned something that is no record.")
enter("E0806", "two plugins offer the same name", "Neither is used, for nobody can know which is meant. Remove one.")
enter(
    "E0807",
    "RTFS_PLUGINS names a plugin that is not installed",
    "The variable lists the only plugins to load; install the missing one or take its name out.",
)
enter("E0808", "no plugin of this name", "`rtfs plugins` lists what is installed, with the names to use.")
enter(
    "E0809",
    "what a plugin offers cannot be made",
    "It was asked for, and without it calls would go elsewhere than its owner said: so nothing runs. The message says "
    "what its factory did. Upgrade the plugin, or take what it offers out of delegation.toml.",
)
enter(
    "E0810",
    "a plugin prints while it is loaded",
    "Only results belong on stdout, where programs read them. What it printed is shown here instead, and it works on.",
)
enter(
    "E0811",
    "the cache on disk failed",
    "It is left out for the rest of the run; results stay right, only slower.",
)
enter(
    "E0812",
    "a capability gave what no program can hold",
    "Values of RTFS, dicts, lists, sets, texts, numbers, aware datetimes and UUIDs are taken; Decimal, bytes and "
    "objects are not. The message says what to give instead.",
)
