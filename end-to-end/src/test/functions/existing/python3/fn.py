from typing import Dict, Optional


def fn(input: Optional[str], headers: Optional[Dict[str, str]]) -> Optional[str]:
    return input
