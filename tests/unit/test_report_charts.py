"""What the report's drawings hold to, whatever the figures are."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from perennial.charts import numbers as n
from perennial.charts.axes import Scale, along, apart, place, rounded, ticks, x_axis
from perennial.charts.calibration import plot_calibration
from perennial.charts.curves import MOST_POINTS, Curve, Flag, plot_by_depth, plot_training
from perennial.charts.flows import RowPart, TimelineEntry, plot_row_flow, plot_timeline
from perennial.charts.gains import plot_gains
from perennial.charts.intervals import Line, Row, plot_against_line, plot_columns, plot_inline, plot_intervals, tone
from perennial.charts.svg import NARROW, Box, svg, width_of
from perennial.errors import ConservationError, PerennialError
from perennial.results.decision import Verdict
from perennial.results.figures import Bin, Interval
from tests.fakes.reports import response_report
from tests.fakes.stages import around

pytestmark = pytest.mark.unit

MOST_TICKS = 6
ZERO = Line(at=0, name="no difference")
figures = st.floats(-1e6, 1e6).filter(lambda v: v == 0 or abs(v) > 1e-6)


def profit_curve(points: int = 101) -> Curve:
    """The profit by depth of a report, on as many points."""
    profit = response_report().evaluation.profit
    assert profit is not None
    x = np.linspace(0, 1, points)
    y, low, high = (
        np.interp(x, profit.curve.x, ends).tolist() for ends in (profit.curve.value, profit.curve.low, profit.curve.high)
    )
    flag = Flag(at=profit.depth, text=(f"Chosen: {n.share(profit.depth)}",))
    return Curve(name="Everyone", x=x.tolist(), y=y, low=low, high=high, ends=n.money(y[-1]), flag=flag)


@st.composite
def intervals(draw: st.DrawFn) -> Interval:
    low, value, high = sorted(draw(st.tuples(figures, figures, figures)))
    return Interval(value=value, low=low, high=high)


@given(figures, figures)
def test_an_axis_has_at_most_six_round_ticks_inside_it(a: float, b: float) -> None:
    low, high = sorted((a, b))
    marked = ticks(low, high)
    assert 1 <= len(marked) <= MOST_TICKS
    slack = 1e-6 * max(abs(low), abs(high), 1)
    assert all(low - slack <= tick <= high + slack for tick in marked)


@given(figures, figures)
def test_a_rounded_axis_holds_its_figures_and_ends_on_ticks(a: float, b: float) -> None:
    low, high = sorted((a, b))
    start, stop = rounded(low, high)
    slack = 1e-6 * max(abs(low), abs(high), 1)
    assert start < stop
    assert start - slack <= low
    assert high <= stop + slack
    marked = ticks(start, stop)
    assert 2 <= len(marked) <= MOST_TICKS
    assert marked[0] == pytest.approx(start)
    assert marked[-1] == pytest.approx(stop)


@given(st.lists(st.floats(0, 300), min_size=1, max_size=8))
def test_names_are_moved_apart_and_keep_their_order(wanted: list[float]) -> None:
    places = apart(wanted, 20, 0, 300)
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    ordered = [places[i] for i in order]
    assert all(b - a >= 20 - 1e-6 for a, b in pairwise(ordered))
    assert ordered[0] >= -1e-6
    assert ordered[-1] <= 300 + 1e-6


def test_names_that_are_apart_stay_where_they_are() -> None:
    assert apart([200, 10, 100], 34, 0, 300) == [200, 10, 100]


def test_a_label_finds_the_spot_that_is_free() -> None:
    plot = Box(x=0, y=0, width=300, height=200)
    line = along([(0, 100), (300, 100)])
    spot = place(120, 32, (150, 100), plot, line)
    assert spot.within(plot)
    assert not any(map(spot.holds, line))


def test_a_label_too_large_for_the_plot_is_drawn_all_the_same() -> None:
    plot = Box(x=10, y=10, width=50, height=20)
    assert place(120, 32, (30, 20), plot, []).x == 10


@given(intervals(), figures)
def test_blue_only_where_the_whole_interval_is_clear(interval: Interval, line: float) -> None:
    assert (tone(interval, line) == "blue") == (interval.low > line)
    assert (tone(interval, line) == "orange") == (interval.high < line)
    assert (tone(interval, line, better="below") == "blue") == (interval.high < line)
    assert tone(interval, line, "reference") == "grey"
    undecided = interval.low <= line <= interval.high
    assert (tone(interval, line, "deciding") == "ink") == undecided
    assert (tone(interval, line) == "grey") == undecided


def test_the_drawings_take_their_colour_from_the_rule() -> None:
    clear, wrong, open_ = around(2, 1), around(-2, 1), around(0.5, 1)
    drawn: list[tuple[Callable[[Interval], Markup], str]] = [
        (lambda i: plot_against_line(i, ZERO, label="x"), "against_line"),
        (lambda i: plot_inline(i, (-4, 4), label="x"), "inline"),
        (lambda i: plot_columns([("1", i)], ZERO, n.decimal, label="x", axis=""), "columns"),
        (lambda i: plot_intervals([Row(name="a", interval=i)], ZERO, n.decimal, label="x"), "interval_rows"),
    ]
    seen = 0
    for draw, name in drawn:
        for interval, hue in ((clear, "blue"), (wrong, "orange"), (open_, "grey")):
            hues = set(re.findall(r"(?:line|fill)-(blue|orange|grey)", draw(interval)))
            assert hues == {hue}, name
            seen += 1
    assert seen == 12


@pytest.mark.parametrize("low", [math.nan, 2.0])
def test_an_interval_that_is_none_is_not_drawn(low: float) -> None:
    wrong = Interval(value=0.5, low=low, high=1.0)
    drawings: list[Callable[[], Markup]] = [
        lambda: plot_against_line(wrong, ZERO, label="x"),
        lambda: plot_inline(wrong, (0, 1), label="x"),
        lambda: plot_columns([("1", wrong)], ZERO, n.decimal, label="x", axis=""),
        lambda: plot_intervals([Row(name="a", interval=wrong)], ZERO, n.decimal, label="x"),
    ]
    for draw in drawings:
        with pytest.raises(PerennialError, match=r"of the estimate 0\.5 cannot be drawn: give finite figures"):
            draw()


def test_rows_may_have_a_line_each() -> None:
    rows = [Row(name="a", interval=around(0.8, 0.05), line=0.9), Row(name="b", interval=around(0.8, 0.05), line=0.7)]
    drawn = plot_intervals(rows, None, n.decimal, label="x")
    assert 'class="fill-orange"' in drawn
    assert 'class="fill-blue"' in drawn


def test_a_long_name_stands_above_the_figure_and_is_cut_only_where_the_chart_ends() -> None:
    row = Row(name="lives in Genève", note="1,095 rows", text="10 %, predicted 9 %", interval=around(0.1, 0.02))
    short, long, longest = (
        plot_intervals([replace(row, name=name)], ZERO, n.decimal, label="x")
        for name in ("lives in Genève", "lives in " + 4 * "Genève ", "lives in " + 9 * "Genève ")
    )

    def height(drawn: str) -> float:
        return float(re.findall(r'viewBox="0 0 360 ([\d.]+)"', drawn)[0])

    assert height(long) == height(longest) == height(short) + 16
    assert "…" not in short + long
    name = re.search(r'<tspan class="b">(.+?…)</tspan>', longest)
    assert name is not None
    assert 0.9 * NARROW < width_of(name[1]) <= NARROW
    for drawn in (short, long, longest):
        assert f">{row.note}<" in drawn
        assert f">{row.text}<" in drawn


def test_compared_charts_share_their_scale() -> None:
    drawn = [plot_columns([("1", around(v, 1))], ZERO, n.decimal, label="x", axis="", span=(-2, 12)) for v in (1.0, 9.0)]
    axes = [re.findall(r'<text[^>]*text-anchor="end"[^>]*>([^<]+)<', one) for one in drawn]
    assert axes[0] == axes[1]
    assert len(axes[0]) >= 3


def test_bars_start_at_zero_even_where_all_effects_are_far_above() -> None:
    line = Line(at=100, name="average 100")
    drawn = plot_columns([("a", around(100, 1))], line, n.count, label="x", axis="")
    assert ">0<" in drawn
    assert ">0<" not in plot_columns([("a", around(100, 1))], line, n.count, label="x", axis="", bars=False)


def test_ticks_drop_the_decimals_that_none_of_them_needs() -> None:
    drawn = plot_intervals([Row(name="a", interval=around(0.01, 0.02))], ZERO, n.difference, label="x")
    words = re.findall(r">([+−]?\d[\d.]*)</text>", drawn)
    assert {"−0.01", "0", "+0.01", "+0.02"} <= set(words)


def test_a_profit_curve_marks_its_depth_the_budget_and_the_random_line() -> None:
    budget = Flag(at=0.24, text=("Budget: 2,000 calls",))
    drawing = plot_by_depth([profit_curve()], n.money_axis, label="rises to <b>", axis="Share", budget=budget)
    assert drawing.narrow is not None
    for drawn, width in ((drawing.wide, 884), (drawing.narrow, NARROW)):
        assert drawn.startswith(f'<svg viewBox="0 0 {width} ')
        assert 'role="img" aria-label="rises to &lt;b&gt;"' in drawn
        assert "Budget: 2,000 calls" in drawn
        assert "Chosen: 40" in drawn
        assert "line-grey thin dash" in drawn
        assert "€0" in drawn
        assert "Everyone" in drawn


def test_a_long_curve_is_drawn_with_few_points() -> None:
    drawing = plot_by_depth([profit_curve(points=20_001)], n.money_axis, label="x", axis="")
    curve = next(re.finditer(r'<path class="line-blue mid" d="([^"]+)"', drawing.wide))[1]
    assert curve.count("L") == MOST_POINTS - 1
    assert len(drawing.wide) < 12_000


def test_curves_that_end_together_have_their_names_apart() -> None:
    x = [0.0, 1.0]
    curves = [Curve(name=name, x=x, y=[0.0, 100 + i], ends="€1") for i, name in enumerate(("One", "Two", "Three"))]
    drawn = plot_by_depth(curves, n.money_axis, label="x", axis="").wide
    heights = sorted(float(y) for y in re.findall(r'y="([\d.]+)" class="text-blue">(?:One|Two|Three)<', drawn))
    assert len(heights) == 3
    assert all(b - a >= 34 for a, b in pairwise(heights))


def test_gains_of_one_model_need_no_key() -> None:
    curve = Curve(name="boosted", x=[0, 0.5, 1], y=[0, 0.8, 1.0], ends="80 %")
    other = Curve(name="deep", x=[0, 0.5, 1], y=[0, 0.79, 1.0], ends="79 %", tone="orange")
    assert "boosted" not in plot_gains([curve], label="x", axis="")
    both = plot_gains([curve, other], label="x", axis="", key="at 50 %")
    assert all(words in both for words in ("boosted", "80 %", "deep", "79 %", "at 50 %"))


@pytest.mark.parametrize("passes", [1, 2, 40])
def test_training_is_drawn_whatever_the_number_of_passes(passes: int) -> None:
    x = list(range(1, passes + 1))
    curves = [Curve(name="validation", x=x, y=[0.3 - 0.001 * e for e in x], flag=Flag(at=passes, text=("kept",)))]
    drawn = plot_training(curves, n.decimal, label="x", axis="Pass")
    assert ">kept<" in drawn
    assert "nan" not in drawn


def test_calibration_is_orange_only_where_the_interval_is_off_the_diagonal() -> None:
    on = Bin(left=0, right=0.1, predicted=0.05, observed=around(0.06, 0.02), n=900)
    off = Bin(left=0.1, right=0.2, predicted=0.15, observed=around(0.25, 0.04), n=90)
    assert "orange" not in plot_calibration([on], label="x", axis="")
    drawn = plot_calibration([on, off], label="x", axis="")
    assert drawn.count("fill-orange") == 1
    assert "900 customers" in drawn


@pytest.mark.parametrize("top", [0.004, 0.03, 1.0])
def test_calibration_of_rare_events_uses_the_room_it_has(top: float) -> None:
    bins = [
        Bin(left=0, right=top / 2, predicted=top / 4, observed=around(top / 4, top / 9), n=9),
        Bin(left=top / 2, right=top, predicted=0.8 * top, observed=around(0.8 * top, top / 9), n=1),
    ]
    ys = [
        float(y) for y in re.findall(r'class="fill-blue" cx="[\d.]+" cy="([\d.]+)"', plot_calibration(bins, label="x", axis=""))
    ]
    assert len(ys) == 2
    assert max(ys) - min(ys) > 60


@given(st.integers(40, 900), st.sampled_from([n.share_axis, n.money_axis, n.decimal]))
def test_figures_under_an_axis_stand_apart_on_any_width(width: int, show: n.Format) -> None:
    marks = x_axis(Scale(low=0, high=1, start=30, stop=30 + width), 100, show, "")
    spots = re.findall(r'<text x="([\d.]+)"[^>]*>([^<]+)<', "".join(marks))
    spans = [(float(x) - width_of(words) / 2, float(x) + width_of(words) / 2) for x, words in spots]
    assert spans
    assert all(one[1] <= other[0] + 0.2 for one, other in pairwise(spans)), "0.2 px is what rounding takes"


def test_a_flag_is_not_crossed_by_its_own_stem() -> None:
    """Even where the only free room is across it."""
    plot, near, stem = Box(x=0, y=0, width=300, height=200), (150.0, 20.0), along([(150, 20), (150, 200)])
    room = Box(x=90, y=60, width=120, height=60)
    taken = [point for point in plot.filled() if not room.holds(point)]
    across, beside = place(80, 32, near, plot, taken), place(80, 32, near, plot, taken, stem=stem)
    assert across.x < 150 < across.right
    assert not beside.x < 150 < beside.right


def test_a_key_with_long_names_stands_below_the_axis() -> None:
    """Within the plot it lay over the flag of the best customers."""
    curves = [Curve(name=name, x=[0, 1], y=[0, 1], ends="85 %") for name in ("linear, chosen", "deep and trees, blended")]
    drawn = plot_gains([replace(curves[0], flag=Flag(at=0.3, text=("85 % of them",))), *curves[1:]], label="x", axis="the axis")
    heights = {words: float(y) for y, words in re.findall(r'y="([\d.]+)"[^>]*>([^<]+)</text>', drawn)}
    assert heights["85 % of them"] < heights["the axis"] - 40
    assert all(heights[curve.name] > heights["the axis"] + 14 for curve in curves)


def test_a_label_has_the_widths_of_its_letters() -> None:
    assert width_of("Will") < width_of("mmmm") / 1.5
    assert width_of("1,000") == width_of("9,876"), "tabular figures"
    assert width_of("Größe Ā") >= width_of("Grose A"), "other letters are taken as wide ones"


def test_no_chart_has_more_than_six_ticks_on_an_axis() -> None:
    curve = profit_curve()
    wave = plot_columns([(str(k), around(k * 1.37, 0.4)) for k in range(10)], ZERO, n.decimal, label="x", axis="")
    drawn = [
        plot_by_depth([curve], n.money_axis, label="x", axis="").wide,
        wave,
        plot_intervals([Row(name="a", interval=around(3.3, 29))], ZERO, n.decimal, label="x"),
    ]
    for one in drawn:
        rises = re.findall(r'class="axis" d="M([\d.]+) [\d.]+L\1 ', one)
        grid = re.findall(r'class="grid" d="M[\d.]+ ([\d.]+)L[\d.]+ \1"', one)
        assert len(rises) <= MOST_TICKS
        assert len(grid) <= MOST_TICKS
        assert rises or grid


def test_row_flow_is_true_to_the_counts() -> None:
    drawing = plot_row_flow(
        RowPart(name="rows read", rows=1000),
        RowPart(name="used", rows=800),
        [RowPart(name="set aside", rows=200, tone="orange")],
        [RowPart(name="train", rows=600), RowPart(name="test", rows=200, tone="blue")],
        label="x",
    )
    heights = [float(h) for h in re.findall(r'<rect[^>]+width="10" height="([\d.]+)"', drawing.wide)]
    assert sorted(heights) == pytest.approx([25.6, 25.6, 76.8, 102.4, 128.0])
    assert "too thin" not in drawing.wide


def test_row_flow_draws_what_would_vanish_and_says_so() -> None:
    lost = [RowPart(name="set aside", rows=2, tone="orange")]
    drawing = plot_row_flow(RowPart(name="rows read", rows=1_000_000), RowPart(name="used", rows=999_998), lost, label="x")
    assert drawing.narrow is not None
    for drawn in (drawing.wide, drawing.narrow):
        assert 'height="3" ' not in drawn or "too thin" in drawn
        assert "Bands too thin to see are drawn 3 px high." in drawn
        assert "2 set aside" in drawn


def test_row_flow_without_parts_leaves_room_for_the_longest_note() -> None:
    lost = RowPart(name="set aside", rows=200, note="under 1 %, each with its rule, line and raw text")
    drawn = plot_row_flow(RowPart(name="rows read", rows=1000), RowPart(name="used", rows=800), [lost], label="x").wide
    label = re.search(r'<text x="([\d.]+)" y="[\d.]+"><tspan class="b">200 set aside</tspan>', drawn)
    assert label is not None
    assert float(label[1]) + width_of("200 set aside") + 10 + width_of(lost.note) <= 884


def test_row_flow_refuses_counts_that_do_not_add_up() -> None:
    read, used = RowPart(name="rows read", rows=10), RowPart(name="used", rows=8)
    with pytest.raises(ConservationError, match=r"10 rows read are drawn as 8 used \+ 1 set aside = 9: find the stage that lost"):
        plot_row_flow(read, used, [RowPart(name="set aside", rows=1)], label="x")
    with pytest.raises(ConservationError, match="8 used are drawn as 7 train = 7"):
        plot_row_flow(read, used, [RowPart(name="set aside", rows=2)], [RowPart(name="train", rows=7)], label="x")


def test_a_timeline_of_many_nights_keeps_its_words_apart() -> None:
    verdicts: tuple[Verdict, ...] = ("PROMOTE", "HOLD", "REJECT")
    first = date(2026, 1, 1)
    nights = [TimelineEntry(version=f"v{i}", on=first + timedelta(days=i), verdict=verdicts[i % 3]) for i in range(60)]
    drawing = plot_timeline(nights, date(2026, 3, 5), label="x")
    assert drawing.narrow is not None
    for drawn, least in ((drawing.wide, 8), (drawing.narrow, 4)):
        words = sorted(float(x) for x in re.findall(r'<text x="([\d.]+)" y="26"', drawn))
        assert len(words) >= least
        assert all(b - a >= width_of("v10") for a, b in pairwise(words))
        assert ">v59<" in drawn
        assert drawn.count("fill-go") == drawn.count("fill-wait") == drawn.count("fill-stop") == 20


def test_a_timeline_of_one_decision_can_be_drawn_on_its_own_day() -> None:
    only = [TimelineEntry(version="v1", on=date(2026, 6, 15), verdict="PROMOTE")]
    drawn = plot_timeline(only, date(2026, 6, 15), label="x").wide
    assert "v1 champion" in drawn
    assert "15 Jun 2026" in drawn


def test_each_text_in_a_drawing_is_escaped() -> None:
    bad = "<script>&"
    drawn = [
        plot_intervals([Row(name=bad, note=bad, interval=around(0, 1))], Line(at=0, name=bad), n.decimal, label=bad),
        plot_columns([(bad, around(0, 1))], Line(at=0, name=bad), n.decimal, label=bad, axis=bad),
        plot_by_depth([Curve(name=bad, x=[0, 1], y=[0, 1], ends=bad)], partial(n.money, currency=bad), label=bad, axis=bad).wide,
        plot_row_flow(RowPart(name=bad, rows=1), RowPart(name=bad, rows=1), [], label=bad).wide,
        plot_timeline([TimelineEntry(version=bad, on=date(2026, 1, 1), verdict="HOLD")], date(2026, 1, 2), label=bad).wide,
    ]
    for one in drawn:
        assert "<script" not in one
        assert one.count("&lt;script&gt;&amp;") >= 2


def test_a_drawing_without_a_label_is_refused() -> None:
    with pytest.raises(PerennialError, match="a chart has no label: give the sentence that says what it shows"):
        svg(10, 10, [], " ")


def test_a_curve_has_as_many_of_each() -> None:
    with pytest.raises(PerennialError, match=r"the curve 'a' has 2 x, 1 y, 0 low and 0 high: give as many of each"):
        Curve(name="a", x=[0, 1], y=[0])
    with pytest.raises(PerennialError, match=r"0 low and 2 high"):
        Curve(name="a", x=[0, 1], y=[0, 1], high=[1, 2])
    with pytest.raises(PerennialError, match=r"the x of the curve 'a' do not ascend: sort its points"):
        Curve(name="a", x=[0, 0], y=[0, 1])


def test_a_curve_is_straight_between_its_points() -> None:
    curve = Curve(name="a", x=[0, 0.5, 1], y=[0, 10, 0])
    assert [curve.at(x) for x in (0, 0.25, 0.5, 0.9, 1)] == pytest.approx([0, 5, 10, 2, 0])
    assert Curve(name="a", x=[3], y=[7]).at(3) == 7
