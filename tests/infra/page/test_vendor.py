"""What is of others stands in the page as they published it."""

import hashlib
import re

from tests.infra.page.made_up import STATIC

_CHARTS = STATIC / "vendor" / "lightweight-charts"
_LIBRARY = "lightweight-charts.standalone.production.js"


def test_the_chart_library_is_the_file_of_its_npm_package() -> None:
    noted = dict(
        re.findall(r"^(\S+) sha256 ([0-9a-f]{64})$", _CHARTS.joinpath("VERSION").read_text(), re.M)
    )
    noted = {name.rpartition("/")[2]: digest for name, digest in noted.items()}
    assert noted.keys() == {_LIBRARY, "LICENSE"}
    for name, digest in noted.items():
        assert hashlib.sha256((_CHARTS / name).read_bytes()).hexdigest() == digest, name


def test_its_licence_and_its_notice_go_with_it() -> None:
    assert "Apache License" in (_CHARTS / "LICENSE").read_text()
    assert "TradingView" in (_CHARTS / "NOTICE").read_text()
    assert "v5.2.1" in (_CHARTS / _LIBRARY).read_text()[:200]
    assert "5.2.1" in (_CHARTS / "VERSION").read_text()
