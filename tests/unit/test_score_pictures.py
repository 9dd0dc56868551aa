"""Pictures to score are followed into the tar that stands beside their table, as they were for training."""

from __future__ import annotations

import io
import tarfile
from importlib import resources
from pathlib import Path

import pytest
from PIL import Image

from perennial.contract.load import load
from perennial.serving.preparation import prepare_rows

pytestmark = pytest.mark.unit
CONTRACT = load(Path(str(resources.files("perennial.gallery") / "product_images.yaml")))


@pytest.mark.parametrize("given", ["folder", "file"])
def test_pictures_are_found_and_those_that_are_not_have_a_reason(tmp_path: Path, given: str) -> None:
    table = tmp_path / "labels.csv"
    table.write_text("path,split,label\na.jpg,test,hat\ngone.jpg,test,hat\n")
    picture = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(picture, "JPEG")
    with tarfile.open(tmp_path / "clothing_small_128.tar", "w") as tar:
        member = tarfile.TarInfo("a.jpg")
        member.size = len(picture.getvalue())
        tar.addfile(member, io.BytesIO(picture.getvalue()))

    ready = prepare_rows(CONTRACT, tmp_path if given == "folder" else table)

    assert ready.units["photo"].to_list() == [picture.getvalue()]
    assert ready.rejected["reason"].to_list() == ["photo: 'gone.jpg' is not in clothing_small_128.tar"]
    assert ready.n_rows == 2
