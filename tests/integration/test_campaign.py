"""A campaign and back: a list without raw contacts, a control group, what it changed, and a use case to learn from."""

from __future__ import annotations

import csv
import hashlib
import logging
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
import yaml

from perennial.campaigns import audience as listing
from perennial.campaigns import record as campaigns
from perennial.campaigns.audience import build_audience
from perennial.campaigns.customer_file import find_key_column, read_customers
from perennial.campaigns.outcome import evaluate_outcome
from perennial.campaigns.plan import read_audience_options
from perennial.config.base import read_use_cases
from perennial.contract.columns import Column
from perennial.contract.load import load
from perennial.errors import ConfigError, ContractError, InputError, IntegrityError, Refused
from perennial.gallery.simulator.draws import Population
from perennial.gallery.simulator.simulate import write_incoming
from perennial.results.campaign import CampaignRecord
from perennial.scoring.scorer import Scorer
from perennial.sources import fetch as fetching
from perennial.tracking.registry import Version
from tests.fakes.simulator import compute_truth
from tests.fakes.workbooks import write_xlsx

if TYPE_CHECKING:
    from tests.conftest import Toy

pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
NAME = "ad_response"
CUSTOMERS = Population(seed=1, first=80_000, n=4_000, month=0, concept=0)


@pytest.fixture(scope="module")
def fitted(prepared_toy: Toy, tmp_path_factory: pytest.TempPathFactory) -> Toy:
    """The shared project with a linear model, and 4,000 new customers with addresses beside it. Shared: copy it."""
    root = tmp_path_factory.mktemp("fitted") / "project"
    shutil.copytree(prepared_toy.root, root)
    toy = type(prepared_toy)(root=root)
    toy.edit("params.yaml", "trials: 6", "trials: 1")
    toy.run("baseline")
    toy.edit_contract("  sent_on:", "  email: {role: contact}\n  phone: {role: contact}\n  surname: {role: contact}\n  sent_on:")
    (root / "new").mkdir()
    write_incoming(root / "new", Population(seed=1, first=0, n=80_000, month=0, concept=0))  # CUSTOMERS, no outcomes
    lines = (root / "new" / "customers.csv").read_text(encoding="latin-1").split("\n")  # dirt is not UTF-8
    head, rows = lines[0].split(","), [line for line in lines[1:] if line]
    out = [f"{','.join(head[:6])},email,phone,surname"]
    for line in rows:
        cells = line.split(",")[:6]
        who = cells[0]
        out.append(f"{','.join(cells)}, Max.{who}@Example.org ,0041 79 {who[-7:]},Muster")
    (root / "new" / "customers.csv").write_text("\n".join(out) + "\n", encoding="latin-1")
    return toy


@pytest.fixture
def shop(fitted: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Toy]:
    """A copy of one's own; the linear model is in use."""
    toy = type(fitted)(root=tmp_path / "shop")
    shutil.copytree(fitted.root, toy.root)
    scorer = Scorer.load(toy.out("baseline", "linear"))
    result = Version(name=NAME, number="3", run_id="", digest="abc", family="linear", source="")
    monkeypatch.setattr(listing, "load_champion", lambda *_: (result, scorer))
    monkeypatch.setattr(fetching, "record_raw", lambda *_: None)
    return toy


@pytest.fixture
def send(shop: Toy) -> Callable[..., CampaignRecord]:
    def build(campaign: str = "spring", suppress: Path | None = None, **flags: Any) -> CampaignRecord:
        options = read_audience_options(shop.project, NAME, flags)
        return build_audience(shop.project, NAME, campaign, shop.root / "new", options, suppress=suppress)

    return build


def folder_of(shop: Toy, campaign: str = "spring") -> Path:
    return campaigns.campaign_folder(shop.project, NAME, campaign)


def read_list(shop: Toy, campaign: str = "spring") -> list[dict[str, str]]:
    with open(folder_of(shop, campaign) / "list.csv", newline="") as file:
        return list(csv.DictReader(file))


def simulate_outcomes(shop: Toy, campaign: str = "spring", *, lift: float = 0.0, seed: int = 1) -> pl.DataFrame:
    """What the simulator's customers would do, contacted or not, and `lift` more of those who were contacted."""
    _, population = campaigns.load_campaign(folder_of(shop, campaign))
    known = compute_truth(CUSTOMERS)
    p = dict(zip((f"{c:09d}" for c in known["customer"]), zip(known["p0"], known["p_contacted"], strict=True), strict=True))
    rng = np.random.default_rng(seed)
    is_sent = population["group"].is_in(["treated", "explore"])
    y = [rng.random() < p[key][int(sent)] + lift * sent for key, sent in zip(population["key"], is_sent, strict=True)]
    return pl.DataFrame({"customer_id": population["key"], "responded": [str(int(one)) for one in y]})


def test_a_list_holds_hashed_contacts_and_nobody_who_is_held_back(
    shop: Toy, send: Callable[..., CampaignRecord], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="perennial")
    out = tmp_path / "optouts.csv"
    gone = [f"{CUSTOMERS.first + i:09d}" for i in range(400)]
    out.write_text("reason;customer_id\n" + "".join(f"opt-out;{key}\n" for key in [*gone, "000000001"]))
    record = send(suppress=out, control=0.2)
    counts, rows = record.counts, read_list(shop)
    assert (counts.suppressed, counts.suppression_unmatched, counts.suppression_ids) == (400, 1, 401)
    assert counts.rows == counts.rejected + counts.suppressed + counts.unreachable + counts.eligible
    assert counts.control == round(0.2 * counts.chosen)
    assert len(rows) == counts.treated == counts.chosen - counts.control > 500
    assert list(rows[0]) == ["customer_id", "email_sha256", "phone_sha256"], "no names unasked"
    for row in rows:
        who = row["customer_id"]
        assert row["email_sha256"] == hashlib.sha256(f"max.{who}@example.org".encode()).hexdigest()
        assert row["phone_sha256"] == hashlib.sha256(f"+4179{who[-7:]}".encode()).hexdigest()
    _, population = campaigns.load_campaign(folder_of(shop))
    held_back = set(population.filter(pl.col("group") == "control")["key"])
    assert len(held_back) == counts.control
    assert not held_back & {row["customer_id"] for row in rows}
    assert not set(gone) & set(population["key"])
    assert (record.model_version, record.digest) == ("3", "abc")
    for path in sorted((shop.root / ".perennial").rglob("*")):
        known = path.read_bytes().lower() if path.is_file() else b""
        assert b"example.org" not in known, path
        assert b"muster" not in known, path
    assert "example.org" not in caplog.text.lower()
    said = [line for line in caplog.messages if line.startswith("control group: ")]
    assert said == [record.control_summary]
    assert caplog.messages.index(said[0]) < len(caplog.messages) - 1, "it is said before the list is written"


def test_the_same_campaign_again_is_the_same_and_another_one_under_its_name_is_refused(
    shop: Toy, send: Callable[..., CampaignRecord]
) -> None:
    send()
    files = {path: path.read_bytes() for path in folder_of(shop).iterdir()}
    send(columns=("customer_id", "decile"))
    assert list(read_list(shop)[0]) == ["customer_id", "decile"], "the same customers for another platform"
    send()
    assert {path: path.read_bytes() for path in folder_of(shop).iterdir()} == files
    with pytest.raises(ConfigError, match=r"campaign spring was drawn on .* and differs in .*shares.*never drawn again"):
        send(control=0.3)
    with pytest.raises(ConfigError, match=r"--campaign 'Spring-26': use lower-case letters"):
        send("Spring-26")
    assert {path: path.read_bytes() for path in folder_of(shop).iterdir()} == files
    send("autumn")
    groups = [
        dict(campaigns.load_campaign(folder_of(shop, c))[1].select("key", "group").iter_rows()) for c in ("spring", "autumn")
    ]
    assert groups[0].keys() == groups[1].keys()
    assert groups[0] != groups[1], "each campaign has a lottery of its own"


def test_what_params_and_flags_ask_for(shop: Toy, send: Callable[..., CampaignRecord]) -> None:
    params = yaml.safe_load((shop.root / "params.yaml").read_text())
    params["use_cases"][NAME]["audience"] = {"min_control": 300, "messages": ["a", "b"], "explore": 0.1, "columns": ["decile"]}
    (shop.root / "params.yaml").write_text(yaml.safe_dump(params))
    record = send(columns=("customer_id", "message", "group", "decile", "city"))
    assert record.counts.control == 300
    rows = read_list(shop)
    assert list(rows[0]) == ["customer_id", "message", "group", "decile", "city"]
    n = {name: sum(row["message"] == name for row in rows) for name in ("a", "b")}
    assert sum(n.values()) == len(rows) == record.counts.treated + record.counts.explore
    assert abs(n["a"] - n["b"]) <= 2
    assert record.counts.explore > 50
    assert " by message) (in 4 of 5 campaigns" in record.control_summary
    assert sum(row["group"] == "explore" for row in rows) == record.counts.explore
    with pytest.raises(ConfigError, match=r"--columns nosuch: choose from customer_id, rank"):
        send("other", columns=("nosuch",))
    with pytest.raises(ConfigError, match=r"--columns sent_on: choose from customer_id"):
        send("other", columns=("sent_on",))
    with pytest.raises(ConfigError, match=r"audience of ad_response: control: .*less than 1, not '1.5'"):
        send("other", control=1.5)
    with pytest.raises(InputError, match=r"held back: two or more are needed on each side"):
        send("other", min_control=100_000)
    assert not (folder_of(shop, "other") / "campaign.json").exists()


def test_opt_outs_that_match_nobody_or_lost_their_zeros_stop_the_list(
    shop: Toy, send: Callable[..., CampaignRecord], tmp_path: Path
) -> None:
    out = tmp_path / "optouts.csv"
    keys = [f"{CUSTOMERS.first + i:09d}" for i in range(50)]
    assert keys[0].startswith("0")
    out.write_text("customer_id\n" + "".join(f"{key.lstrip('0')}\n" for key in keys[:20]) + keys[30] + "\n")
    with pytest.raises(InputError, match=r"[0-9]+ ids have lost their leading zeros, such as 800[0-9]+ for 0000800"):
        send(suppress=out)
    out.write_text("customer_id\nnobody\n")
    with pytest.raises(InputError, match="none of its 1 ids is a customer_id of this input"):
        send(suppress=out)
    assert not (folder_of(shop) / "list.csv").exists()
    out.write_text("customer_id\n")
    assert send(suppress=out).counts.suppressed == 0
    rows = simulate_outcomes(shop).with_columns(pl.col("customer_id").str.strip_chars_start("0"))
    rows.write_csv(tmp_path / "results.csv")
    with pytest.raises(InputError, match="lost their leading zeros"):
        evaluate_outcome(shop.project, NAME, "spring", tmp_path / "results.csv")


def test_a_file_of_addresses_tells_of_customers_who_are_known_by_a_digest(tmp_path: Path) -> None:
    column = Column(role="entity", source="Email", hashed=True)
    path = tmp_path / "optouts.csv"
    path.write_text("when;Email\n2026-01-01; Ann@Shop.com\n")
    digest = hashlib.sha256(b"ann@shop.com").hexdigest()
    rows = read_customers(path, {"person": find_key_column(path, "person", column)}, "person")
    assert rows["person"].to_list() == [digest]
    path.write_text(f"person\n{digest}\n")
    rows = read_customers(path, {"person": find_key_column(path, "person", column)}, "person")
    assert rows["person"].to_list() == [digest]


def test_a_contract_that_leads_to_no_campaign_says_why(shop: Toy, send: Callable[..., CampaignRecord]) -> None:
    path, observed = shop.project.contract(NAME), 0
    before = path.read_text()
    for old, new, words in (
        (
            "value_of_response: 40, cost_of_contact: 2, budget_share: 0.4",
            "",
            r"money\.value_of_response and money\.cost_of_contact missing",
        ),
        ("cost_of_contact: 2, ", "", r"\Amoney\.cost_of_contact missing: "),
        ("sampling: {}", "sampling: {sampling_rate: unknown}", r"sampling\.sampling_rate is unknown: scores only rank"),
    ):
        assert old in before
        path.write_text(before.replace(old, new))
        with pytest.raises(ContractError, match=words):
            send()
        observed += 1
    assert observed == 3
    path.write_text(before.replace("value_of_response: 40", "value_of_response: 50"))
    with pytest.raises(Refused, match=r"money has changed since version 3 was trained"):
        send()


def test_from_the_list_to_the_verdict_to_a_use_case(shop: Toy, send: Callable[..., CampaignRecord], tmp_path: Path) -> None:
    record = send(control=0.3, explore=0.5)
    data = tmp_path / "came_back.csv"
    rows = simulate_outcomes(shop, lift=0.2)
    pl.concat([rows, pl.DataFrame({"customer_id": ["000000007"], "responded": ["1"]})]).write_csv(data)
    lines = evaluate_outcome(shop.project, NAME, "spring", data)
    n = rows.height
    assert (
        lines[0]
        == f"{n + 1:,} rows: {n:,} of the {n:,} who were drawn, 1 of others; 0 have no row and are counted as no response"
    )
    assert lines[1].startswith("sample ratio: ")
    assert any(line.startswith("contacting changed +2") for line in lines), lines
    assert any(line.startswith("below the cut it changed +") for line in lines), lines
    assert any(line.startswith("It paid: +") for line in lines), lines
    assert lines[-1] == "to learn from it: perennial run ad_response_spring"
    name = "ad_response_spring"
    contract = load(shop.project.contract(name))
    assert contract.shares == pytest.approx(record.shares, abs=1e-6)
    assert contract.arms == ["none", "contact"]
    assert name in read_use_cases(shop.root / "params.yaml")
    learner = type(shop)(root=shop.root, name=name)
    learner.run("ingest", "validate", "clean", "featurize", "split")
    units = pl.read_parquet(learner.out("featurize", "units.parquet"))
    assert units.height == n
    assert units["responded"].sum() == (rows["responded"] == "1").sum()
    assert {"last_purchase", "age", "bought_garden", "city"} <= set(units.columns)
    before = shop.project.contract(name).read_bytes()
    again = evaluate_outcome(shop.project, NAME, "spring", data)
    assert again[0].startswith("this is look number 2, at the same file as look 1: ")
    assert again[-1].startswith("contracts/ad_response_spring.yaml stays as it is")
    assert shop.project.contract(name).read_bytes() == before
    assert [look.number for look in campaigns.read_looks(folder_of(shop))] == [1, 2]


def test_responders_only_are_a_file_too_and_a_contract_of_ones_own_stays(
    shop: Toy, send: Callable[..., CampaignRecord], tmp_path: Path
) -> None:
    send(control=0.3)
    mine = shop.project.contract("ad_response_spring")
    mine.write_text("mine")
    rows = simulate_outcomes(shop, lift=0.2).filter(pl.col("responded") == "1").rename({"responded": "bought"})
    data = tmp_path / "buyers.csv"
    rows.write_csv(data)
    lines = evaluate_outcome(shop.project, NAME, "spring", data, column="bought")
    assert "have no row and are counted as no response" in lines[0]
    assert any(line.startswith("It paid: +") for line in lines), lines
    assert lines[-1] == "contracts/ad_response_spring.yaml is there already, and yours: it and its data stay as they are"
    assert mine.read_text() == "mine"


def test_where_nothing_can_be_claimed_nothing_is(shop: Toy, send: Callable[..., CampaignRecord], tmp_path: Path) -> None:
    record = send(control=0.0)
    assert record.control_summary.startswith("no control group, ")
    data = tmp_path / "outcomes.csv"
    simulate_outcomes(shop, lift=0.2).write_csv(data)
    lines = evaluate_outcome(shop.project, NAME, "spring", data)
    assert "no effect is claimed: nobody was held back" in lines
    assert not any(line.startswith(("It paid", "contacting changed")) for line in lines)
    assert lines[-1] == "contracts/ad_response_spring.yaml is not written: without a control group"
    send("lost", control=0.3)
    rows = simulate_outcomes(shop, "lost", lift=0.2)
    _, population = campaigns.load_campaign(folder_of(shop, "lost"))
    back = population.filter(pl.col("group") == "control")["key"]
    remaining = rows.filter(~pl.col("customer_id").is_in(back.head(len(back) // 2).to_list()))
    remaining.write_csv(data)
    lines = evaluate_outcome(shop.project, NAME, "lost", data)
    assert any("no effect is claimed: " in line and "chance does not explain it" in line for line in lines), lines
    assert not any(line.startswith(("It paid", "contacting changed")) for line in lines)
    assert not shop.project.contract("ad_response_lost").exists()


def test_outcomes_come_back_in_a_workbook(
    shop: Toy, send: Callable[..., CampaignRecord], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    send(control=0.3)
    rows, data = simulate_outcomes(shop, lift=0.2), tmp_path / "came_back.xlsx"
    frame = rows.with_columns(pl.col("responded").cast(pl.Int64))
    sheet = [frame.columns, *map(list, frame.rows())]
    write_xlsx(data, {"May": sheet, "June": sheet})
    with pytest.raises(InputError, match="2 sheets have rows: May, June; name one: --sheet 'May'"):
        evaluate_outcome(shop.project, NAME, "spring", data)
    lines = evaluate_outcome(shop.project, NAME, "spring", data, sheet="June")
    assert lines[0].startswith(f"{rows.height:,} rows: {rows.height:,} of the {rows.height:,} who were drawn, 0 of others")
    assert any(line.startswith("It paid: +") for line in lines), lines
    numbers = frame.with_columns(pl.col("customer_id").cast(pl.Int64))
    write_xlsx(data, {"May": [numbers.columns, *map(list, numbers.rows())]})
    with pytest.raises(InputError, match="ids have lost their leading zeros, such as 800"):
        evaluate_outcome(shop.project, NAME, "spring", data)
    assert "sheet May: id column customer_id is stored as numbers" in caplog.text
    write_xlsx(data, {"May": [frame.columns, [frame["customer_id"][0], "yes"]]})
    with pytest.raises(InputError, match=r"the first is came_back\.xlsx, sheet May, row 2: responded: 'yes'"):
        evaluate_outcome(shop.project, NAME, "spring", data)


def test_what_cannot_be_read_is_refused_in_words(shop: Toy, send: Callable[..., CampaignRecord], tmp_path: Path) -> None:
    data = tmp_path / "outcomes.csv"
    with pytest.raises(InputError, match=r"spring is not a campaign of this use case; there are: none"):
        evaluate_outcome(shop.project, NAME, "spring", data)
    send()
    rows, observed = simulate_outcomes(shop), 0
    for frame, words in (
        (pl.concat([rows, rows.head(2)]), r"2 ids have several rows, such as "),
        (rows.with_columns(responded=pl.lit("yes")), r"rows cannot be read, the first is .*:2: responded: 'yes'"),
        (rows.with_columns(responded=pl.lit("")), r"ids or outcomes are empty"),
        (rows.with_columns(customer_id=pl.lit("x") + pl.col("customer_id")), r"none of .* ids was in campaign spring"),
        (rows.rename({"responded": "bought"}), r"lacks column responded"),
    ):
        frame.write_csv(data)
        with pytest.raises(InputError, match=words):
            evaluate_outcome(shop.project, NAME, "spring", data)
        observed += 1
    assert observed == 5
    assert campaigns.read_looks(folder_of(shop)) == [], "what cannot be read is no look"
    rows.write_csv(data)
    (folder_of(shop) / "looks.json").write_text('[{"number": 1}]')
    with pytest.raises(IntegrityError, match=r"looks\.json is not a campaign record: 0\.at: Field required"):
        evaluate_outcome(shop.project, NAME, "spring", data)
    population = folder_of(shop) / "population.parquet"
    population.write_bytes(population.read_bytes()[:-1] + b"?")
    with pytest.raises(IntegrityError, match=r"population\.parquet is not the file that campaign spring wrote"):
        evaluate_outcome(shop.project, NAME, "spring", data)


@pytest.fixture(scope="module")
def moved(prepared_toy: Toy, tmp_path_factory: pytest.TempPathFactory) -> Toy:
    """The same customers asked whom a message moves, with a linear model of two messages. Shared: copy it."""
    root, name = tmp_path_factory.mktemp("moved") / "project", "ad_uplift"
    shutil.copytree(prepared_toy.root, root, ignore=shutil.ignore_patterns("outputs"))
    gallery = Path(str(listing.__file__)).parents[1] / "gallery"
    contract = (gallery / f"{name}.yaml").read_text().replace("n: 20000", "n: 2000")
    (root / "contracts" / f"{name}.yaml").write_text(contract)
    block = yaml.safe_load((gallery / "params.yaml").read_text())["use_cases"][name]
    block["baseline"]["trials"] = 1
    (root / "params.yaml").write_text(yaml.safe_dump({"use_cases": {name: block}}))
    shutil.copytree(prepared_toy.project.raw(NAME), root / "data" / name / "raw")
    toy = type(prepared_toy)(root=root, name=name)
    toy.run("ingest", "validate", "clean", "featurize", "split", "augment", "baseline")
    (root / "new").mkdir()
    write_incoming(root / "new", Population(seed=1, first=0, n=80_000, month=0, concept=0))
    return toy


@pytest.mark.parametrize("randomised", [True, False])
def test_messages_drawn_by_lot_are_arms_and_those_a_model_chose_are_one(
    moved: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, randomised: bool
) -> None:
    toy = type(moved)(root=tmp_path / "shop", name=moved.name)
    shutil.copytree(moved.root, toy.root)
    scorer = Scorer.load(toy.out("baseline", "linear"))
    result = Version(name=toy.name, number="1", run_id="", digest="d", family="linear", source="")
    monkeypatch.setattr(listing, "load_champion", lambda *_: (result, scorer))
    monkeypatch.setattr(fetching, "record_raw", lambda *_: None)
    flags: dict[str, Any] = {"control": 0.3, **({"messages": ("discover", "reward")} if randomised else {})}
    options = read_audience_options(toy.project, toy.name, flags)
    record = build_audience(toy.project, toy.name, "spring", toy.root / "new", options)
    assert record.arms == (("none", "discover", "reward") if randomised else ("none", "contact"))
    assert "; it forgoes about " in record.control_summary
    _, population = campaigns.load_campaign(campaigns.campaign_folder(toy.project, toy.name, "spring"))
    assert set(population["message"]) == {"none", "discover", "reward"}
    assert (population.filter(pl.col("group") == "control")["message"] == "none").all()
    rng, data = np.random.default_rng(1), tmp_path / "outcomes.csv"
    y = (rng.random(population.height) < 0.1 + 0.2 * (population["message"] == "reward").to_numpy()).astype(int)
    pl.DataFrame({"customer_id": population["key"], "responded": y}).write_csv(data)
    lines = evaluate_outcome(toy.project, toy.name, "spring", data)
    assert any(line.startswith("reward: +") and " against discover" in line for line in lines) == randomised
    contract = load(toy.project.contract("ad_uplift_spring"))
    assert contract.arms == list(record.arms)
    assert contract.shares == pytest.approx(record.shares, abs=1e-6)
    treatment = contract.columns["treatment"]
    assert {arm.cost for arm in treatment.arms.values()} == {2.0}
    learner = type(toy)(root=toy.root, name="ad_uplift_spring")
    learner.run("ingest", "validate", "clean", "featurize", "split")
    with pytest.raises(ConfigError, match=r"--messages coupon: choose from discover, reward"):
        build_audience(
            toy.project,
            toy.name,
            "x",
            toy.root / "new",
            read_audience_options(toy.project, toy.name, {"messages": ("coupon", "reward")}),
        )
