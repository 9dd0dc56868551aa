"""`perennial new`: what the names of columns say, whose a row is, and what only looks like nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl
import pytest

from perennial.data.io.ingest import ingest
from perennial.data.io.table_files import TableFormat
from perennial.data.prepare.clean import WHY, clean
from perennial.data.prepare.cutoffs import build_units
from perennial.discovery import names
from perennial.errors import ConfigError, ContractError, InputError
from tests.fakes.proposals import proposed

pytestmark = pytest.mark.unit
N = 2400


def table(folder: Path, **columns: Any) -> Path:
    """Columns, a number x and an outcome `churn` that it tells a little of."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=N)
    y = (rng.random(N) < 1 / (1 + np.exp(1.5 - x))).astype(int)
    path = folder / "data.csv"
    pl.DataFrame({**columns, "x": x.round(3), "churn": y}).write_csv(path)
    return path


def outcomes(folder: Path) -> np.ndarray:
    return pl.read_csv(table(folder))["churn"].to_numpy()


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ("reviewerID", "reviewer_id"),
        ("Last Notable Activity", "last_notable_activity"),
        ("CODE_GENDER", "code_gender"),
        ("date_adhésion", "date_adhesion"),
        ("IDpol", "id_pol"),
        ("SeriousDlqin2yrs", "serious_dlqin2yrs"),
        ("客户", "客户"),
        ("EmployeeID", "employee_id"),
        ("IPAddress", "ip_address"),
    ],
)
def test_names_are_read_as_words(said: str, word: str) -> None:
    assert names.split_words(said) == word


@pytest.mark.parametrize(
    ("speaks", "yes", "no"),
    [
        ("protected", ["insured_sex", "CODE_GENDER", "civilité", "NAME_FAMILY_STATUS", "race"], ["essex", "race_id"]),
        ("protected", ["Estado civil", "Konfession", "Staatsangehörigkeit"], ["estado"]),
        ("home", ["Straße und Hausnummer", "OPTIN_IP", "Billing Address1"], ["ship_mode", "description"]),
        ("person_name", ["first", "consumer.displayName", "Ansprechpartner", "DNI"], ["first_visit", "last_order"]),
        (names.is_entity_id, ["patient_nbr", "customerid", "hhid", "LYLTY_CARD_NBR", "policy_number", "KUNNR"], ["loan_sum"]),
        (names.is_row_id, ["steamid", "memberid"], ["prepaid", "android", "is_valid"]),
        (names.is_contact_name, ["customer_phone", "Shipping Phone", "credit_card", "E-Mail"], ["phone_brand", "card_type"]),
        ("person_name", ["host_name", "prénom", "Card Name", "Billing Name"], ["product_name", "name_type"]),
        (names.is_entity_id, ["host_id", "CLIENTNUM", "reviewerID", "no_client"], ["n_customers", "customer_age", "order_id"]),
        (names.is_row_id, ["SK_ID_CURR", "RowNumber", "Unnamed: 0"], ["no_of_children", "paid", "num_visits"]),
        ("afterwards", ["last_fico_range_high", "Last Activity"], ["blast", "income"]),
        ("late_date", ["Last Activity Date", "CloseDate"], ["reviewTime", "Create Date"]),
        ("start_date", ["date_adhésion", "Eintrittsdatum", "signup_date"], ["ordered_on"]),
    ],
)
def test_what_a_name_speaks_of(speaks: Any, yes: list[str], no: list[str]) -> None:
    """`speaks` is a topic, or asks for several."""

    def is_so(name: str) -> bool:
        return bool(names.has_topic(name, speaks) if isinstance(speaks, str) else speaks(name))

    assert yes
    assert [name for name in yes if not is_so(name)] == []
    assert [name for name in no if is_so(name)] == []


def test_the_owner_of_a_row_is_no_feature_and_nobody_is_in_two_parts(tmp_path: Path) -> None:
    host = np.arange(N) % 300
    path = table(
        tmp_path,
        id=[6 * 10**17 + 7 * i for i in range(N)],
        host_id=host * 91 + 10**6,
        host_url=[f"https://a.com/u/{h}" for h in host],
        host_name=[f"Ann{h % 15}" for h in host],
    )
    _, contract = proposed(path)
    assert {name: contract.columns[name].role for name in ("id", "host_id", "host_url", "host_name")} == {
        "id": "id",
        "host_id": "entity",
        "host_url": "ignore",
        "host_name": "contact",
    }


def test_of_two_names_of_a_row_that_of_somebody_is_kept(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    people = rng.permutation(N) + 15_600_000
    path = table(tmp_path, RowNumber=np.arange(N), CustomerId=people, Surname=[f"Doe{i % 700}" for i in range(N)])
    built, contract = proposed(path)
    assert (contract.columns["RowNumber"].role, contract.columns["CustomerId"].role) == ("ignore", "id")
    assert not any("comes again" in line for line in built.words), "each row is another customer"


def test_what_reaches_somebody_is_shown_nowhere(tmp_path: Path) -> None:
    lines = [f"0170{i % 900:07d}" for i in range(N)]
    said = [f"call me 0170 1234567 {i % 3}" if i % 5 else "" for i in range(N)]
    result = np.where(outcomes(tmp_path) == 1, "too slow, call 0170 1234567 again", said)
    path = table(tmp_path, customer_phone=[6 * 10**9 + i % 900 for i in range(N)], ship_phone=lines, note=result)
    built, contract = proposed(path)
    assert {contract.columns["customer_phone"].role, contract.columns["ship_phone"].role} == {"contact"}
    text = built.contract + "\n".join(built.words)
    assert "0170" not in text
    assert "1234567" not in text
    assert "600000" not in text


@pytest.mark.parametrize(("none", "other"), [("None", ["low", "high"]), ("-", ["+"])])
def test_none_is_a_value_where_it_is_one_of_few_texts(none: str, other: list[str], tmp_path: Path) -> None:
    kinds = [none, *other]
    path = table(tmp_path, disorder=[kinds[i % len(kinds)] for i in range(N)], level=[kinds[i % len(kinds)] for i in range(N)])
    _, contract = proposed(path, target="disorder")
    values = contract.columns["disorder"].values
    assert set(values or ()) == set(kinds)
    assert ingest([path], contract.columns, TableFormat.of(contract, "main")).rows["disorder"].null_count() == 0
    assert none not in proposed(path)[1].columns["level"].null


def test_what_a_contact_costs_needs_what_a_response_earns(tmp_path: Path) -> None:
    path = table(tmp_path)
    with pytest.raises(ContractError, match=r"shop: cost_of_contact: Input should be greater than or equal to 0, not '-2.0'"):
        proposed(path, cost=-2.0, earns=10.0)
    with pytest.raises(ConfigError, match="--cost 2 without --value"):
        proposed(path, cost=2.0)
    assert proposed(path, cost=2.0, earns=40.0)[1].money.value_of_response == 40


def test_rows_without_an_outcome_are_spoken_of(tmp_path: Path) -> None:
    built, _ = proposed(table(tmp_path, why=[("price" if i % 2 else "service") if i % 4 else "" for i in range(N)]), target="why")
    assert "600 of 2,400 rows have no why: they teach nothing" in built.words


def test_two_columns_with_the_same_word_are_a_question_and_an_amount_is_no_answer(tmp_path: Path) -> None:
    fraud = [int(i % 50 == 0) for i in range(N)]
    path = tmp_path / "pay.csv"
    pl.DataFrame({"amount": range(N), "isFraud": fraud, "isFlaggedFraud": [int(i % 400 == 0) for i in range(N)]}).write_csv(path)
    with pytest.raises(InputError, match=r"It could be: isFraud .*isFlaggedFraud"):
        proposed(path)
    pl.DataFrame({"delinquent": fraud, "age": range(N), "MonthlyIncome": range(N), "n": [i % 7 for i in range(N)]}).write_csv(
        path
    )
    assert proposed(path)[1].target == "delinquent"


def test_the_best_part_of_town_is_no_leak_of_a_price(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    part = rng.integers(0, 8, N)
    path = tmp_path / "houses.csv"
    price = 100 + 40 * part + rng.normal(0, 60, N) + 300 * (part == 7)
    pl.DataFrame({"area": [f"a{p}" for p in part], "rooms": rng.integers(1, 6, N), "price": price.round(1)}).write_csv(path)
    _, contract = proposed(path, target="price")
    assert contract.columns["area"].role == "categorical"


def test_what_is_too_good_or_called_after_the_outcome_is_a_suspect(tmp_path: Path) -> None:
    y = outcomes(tmp_path)
    rng = np.random.default_rng(5)
    near = (y + rng.normal(0, 0.3, N)).round(3)
    path = table(
        tmp_path, last_score=near, score_two=(y + rng.normal(0, 0.32, N)).round(3), churn_confidence=rng.random(N).round(3)
    )
    _, contract = proposed(path)
    assert set(contract.leakage_suspects) == {"last_score", "score_two", "churn_confidence"}


@pytest.mark.parametrize(
    ("cells", "form"),
    [
        (["2015-02-24 11:35:52 -0800", "2015-03-24 01:35:52 +01:00"], "%Y-%m-%d %-H:%M:%S %z"),
        (["2015-02-24T11:35:52.000+0000", "2015-03-24T11:35:52.000+0000"], "%Y-%m-%dT%H:%M:%S.%f%z"),
        (["2015-02-24 11:35:52 UTC", "2015-03-24 11:35:52 UTC"], "%Y-%m-%d %H:%M:%S UTC"),
        (["09 13, 2009", "11 2, 2010"], "%m %-d, %Y"),
    ],
)
def test_moments_with_an_offset_are_moments(cells: list[str], form: str, tmp_path: Path) -> None:
    path = table(tmp_path, created=[cells[i % 2] for i in range(N)])
    _, contract = proposed(path)
    assert contract.columns["created"].role in {"ignore", "time"}
    path = table(
        tmp_path, created=[cells[0].replace("24", f"{1 + i % 28:02d}").replace(" 13,", f" {1 + i % 28},") for i in range(N)]
    )
    _, contract = proposed(path)
    assert (contract.columns["created"].format, contract.split.kind) == (form, "time")


def test_numbers_with_spaces_are_numbers(tmp_path: Path) -> None:
    path = table(tmp_path, ca=[f"{1 + i % 9}\u202f{i % 900:03d},5\u00a0€" for i in range(N)])
    _, contract = proposed(path)
    assert (contract.columns["ca"].role, contract.columns["ca"].thousands, contract.columns["ca"].decimal) == (
        "numeric",
        " ",
        ",",
    )
    rows = ingest([path], contract.columns, TableFormat.of(contract, "main")).rows
    assert rows["ca"][1] == 2001.5


@pytest.mark.parametrize(
    ("cells", "codes"),
    [
        ([0, 1, 2, 3, 4, 5, 6, 96, 98], {"96", "98"}),
        ([*range(20), -9, -8], {"-9", "-8"}),
        ([*range(-9, 20)], set()),
        ([*range(60, 100)], set()),
    ],
)
def test_codes_for_nothing_stand_apart(cells: list[int], codes: set[str], tmp_path: Path) -> None:
    _, contract = proposed(table(tmp_path, late=[cells[i % len(cells)] for i in range(N)]))
    assert set(contract.columns["late"].null) == codes


def test_of_two_lines_of_names_the_lower_one_counts(tmp_path: Path) -> None:
    path = table(tmp_path, SEX=[1 + i % 2 for i in range(N)], AGE=[20 + i % 50 for i in range(N)])
    path.write_text(",X1,X2,Y\n" + path.read_text())
    built, contract = proposed(path)
    assert (contract.source.skip, contract.target, contract.columns["SEX"].role) == (1, "churn", "protected")
    assert f"{N:,} rows" in built.words[0]


def test_numbers_that_grow_down_the_file_order_it_and_ids_of_single_things_are_no_features(tmp_path: Path) -> None:
    path = table(tmp_path, TransactionDT=[86_400 + 7 * i for i in range(N)], search_id=[f"s{i // 1.2:.0f}" for i in range(N)])
    built, contract = proposed(path)
    assert (contract.split.kind, contract.columns["TransactionDT"].role) == ("time", "time")
    assert contract.columns["search_id"].role == "ignore"
    assert any(line.startswith("search_id is left out") for line in built.words)
    assert not any("search_id" in line for line in built.words if line.startswith("not used: ")), "said once"


def test_a_word_turned_round_is_no_word_for_the_event(tmp_path: Path) -> None:
    status = ["unsubscribed" if i % 6 == 0 else "subscribed" for i in range(N)]
    _, contract = proposed(table(tmp_path, status=status), target="status")
    assert contract.columns["status"].values == {"subscribed": 0, "unsubscribed": 1}


def test_of_two_steps_neither_is_guessed(tmp_path: Path) -> None:
    path = tmp_path / "mails.csv"
    steps = {
        "orders": range(N),
        "Clicked": [int(i % 9 == 0) for i in range(N)],
        "Placed Order": [int(i % 17 == 0) for i in range(N)],
    }
    pl.DataFrame(steps).write_csv(path)
    with pytest.raises(InputError, match=r"It could be: Clicked .*Placed Order"):
        proposed(path)


def test_a_few_great_numbers_with_commas_keep_their_rows(tmp_path: Path) -> None:
    spend = [f"{i % 900}.50" if i % 300 else f"1,{i % 900:03d}.50" for i in range(N)]
    path = table(tmp_path, spend=spend)
    built, contract = proposed(path)
    assert contract.columns["spend"].thousands == ","
    assert ingest([path], contract.columns, TableFormat.of(contract, "main")).rows["spend"].max() > 1000
    assert not any("set aside" in line for line in built.words)


def test_umlauts_in_the_header_alone_tell_the_encoding(tmp_path: Path) -> None:
    path = table(tmp_path, a=[i % 9 for i in range(N)])
    path.write_bytes(path.read_text().replace("a,x", "Straße,x").encode("cp1252"))
    _, contract = proposed(path)
    assert contract.source.encoding == "cp1252"
    assert "Straße" in contract.columns


@pytest.mark.parametrize(
    ("cell", "form"), [("{:02d}-OCT-21", "%-d-%b-%y"), ("{:02d}SEP12:00:00:00", "%d%b%y:%H:%M:%S"), ("202302{:02d}", "%Y%m%d")]
)
def test_dates_of_other_systems_are_dates(cell: str, form: str, tmp_path: Path) -> None:
    path = table(tmp_path, BU=[cell.format(1 + i % 28) for i in range(N)])
    _, contract = proposed(path)
    assert (contract.split.kind, contract.columns["BU"].format) == ("time", form)
    assert ingest([path], contract.columns, TableFormat.of(contract, "main")).rejects.height == 0


def test_the_questions_of_a_survey_are_no_rows(tmp_path: Path) -> None:
    path = table(tmp_path, Q1=[i % 11 for i in range(N)])
    header, rest = path.read_text().split("\n", 1)
    asked = '"How likely,\nfrom 0 to 10?",,'
    path.write_text(f'{header}\n{asked}\n"{{""ImportId"":""QID1""}}","{{""ImportId"":""x""}}","{{""ImportId"":""y""}}"\n{rest}')
    _, contract = proposed(path)
    assert contract.columns["Q1"].role == "numeric"
    read = ingest([path], contract.columns, TableFormat.of(contract, "main"))
    assert (read.rows.height, read.rejects.height) == (N, 0)


def test_whole_names_of_people_are_shown_nowhere(tmp_path: Path) -> None:
    name = [f"Smith{'' if i % 3 else 'son'}, Mr. John Henry {chr(65 + i % 26)}{chr(97 + i // 26 % 26)}" for i in range(N)]
    built, contract = proposed(table(tmp_path, Name=name))
    assert contract.columns["Name"].role == "contact"
    assert "Smith" not in built.contract + "".join(built.words)


def test_what_is_not_used_is_said_on_the_screen(tmp_path: Path) -> None:
    built, _ = proposed(table(tmp_path, always=["x"] * N))
    assert "not used: always (the contract says why)" in built.words


def test_a_log_without_a_number_has_features_and_says_whose_events_are_nobodys(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    days = np.sort(rng.integers(0, 300, 6000))
    start = np.datetime64("2025-01-01")
    who = [f"u{i}" if i < 380 else "" for i in rng.integers(0, 400, 6000)]
    frame = {"timestamp": [f"{start + int(d)} 10:00:00" for d in days], "user_id": who, "event": ["login"] * 6000}
    path = tmp_path / "log.csv"
    pl.DataFrame(frame).write_csv(path)
    built, contract = proposed(path)
    assert any("events have no user_id" in line for line in built.words)
    rows = ingest([path], contract.events["events"].columns, TableFormat.of(contract, "events")).rows
    made_of = build_units(
        {
            "events": clean(
                nw.from_native(rows.lazy()), contract.events["events"].columns, contract.events["events"], drop_duplicates=False
            ).filter(nw.col(WHY).is_null())
        },
        contract,
        contract.unit.cutoffs.all if contract.unit.cutoffs else [],
    )[0]
    assert made_of.to_native().collect()["n_events"].min() >= 1
