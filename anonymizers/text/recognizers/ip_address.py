"""IP addresses, versions 4 and 6."""

import ipaddress

from anonymizers.text.patterns import CuedPatternRecognizer, Example, form

# Presidio's own finds nothing in "IPは192.0.2.1から".
_V4 = form("version 4", r"(?<![0-9.])(?P<value>(?:[0-9]{1,3}\.){3}[0-9]{1,3})(?![0-9]|\.[0-9])")
_V6 = form("version 6", r"(?<![0-9A-Za-z:])(?P<value>(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{1,4})(?![0-9A-Za-z:])")

EXAMPLES = (
    Example("荒らしのIPは192.0.2.1からでした", ("192.0.2.1",)),
    Example("2001:db8::8a2e:7334から書き込み", ("2001:db8::8a2e:7334",)),
    Example("10:30:00に起きて版は1.2.3、300.1.2.3は違う", ()),
)


class _IpAddress(CuedPatternRecognizer):
    """Addresses the standard library accepts."""

    def validate_result(self, pattern_text: str) -> bool | None:
        """Whether it is an address; times such as 10:30:00 are not. Leading zeros in version 4 are allowed."""
        try:
            if ":" in pattern_text:
                ipaddress.IPv6Address(pattern_text)
                return True
        except ValueError:
            return False
        return all(int(octet) <= 255 for octet in pattern_text.split("."))


def recognizer() -> CuedPatternRecognizer:
    """Finds IP_ADDRESS."""
    return _IpAddress("IP_ADDRESS", _V4, _V6, needs="[.:]")
