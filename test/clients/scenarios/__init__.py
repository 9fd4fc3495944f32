"""What the hosts are put through, by the name on the command line."""

from scenarios import (bad_token, bad_token_exit, channel_push, daemon, idle_beside, permission,
                       platform_down, second_message, turn, two_hosts)

ALL = {"turn": turn, "second-message": second_message, "two-hosts": two_hosts,
       "bad-token": bad_token, "bad-token-exit": bad_token_exit, "platform-down": platform_down,
       "channel-push": channel_push, "permission": permission, "idle-beside": idle_beside,
       "daemon": daemon}


def fits(host, name):
    """Whether the host can do what the scenario needs."""
    needed = getattr(ALL[name], "NEEDS", None)
    return needed is None or hasattr(host, needed)
