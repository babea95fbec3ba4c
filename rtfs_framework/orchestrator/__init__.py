"""Where effects live: the session, the driver, dispatch, the cache stack, policy and the causal chain.

One path for every call that leaves the kernel: authorise, decide (`delegate`), look up (`cache_stack`), perform
(`dispatch`), record (`journal`), resume (`driver`). Start reading at `session`.
"""
