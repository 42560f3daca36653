"""Which names and addresses mean this machine and nothing else."""

from ipaddress import IPv6Address, ip_address


def is_loopback(host: str) -> bool:
    """
    Whether *host*, an address or a name without port, is a loopback address or localhost.

    Names are not resolved: what a name resolves to can change between asking and using.
    """
    if host.lower() == "localhost":
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    # A socket for both families sees 127.0.0.1 as ::ffff:127.0.0.1.
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback
