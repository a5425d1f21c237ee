"""The overview page in a real browser: who gets in, what is shown, in both languages."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from support.facts import Books, Clock, flow
from support.services import require_chromium
from support.web import Consumer, served

from ledger.application import FundLedger
from ledger.domain.money import format_yuan
from ledger.events import setup
from ledger.store import schema
from medfund.bootstrap import House, open_house
from medfund.settings import load_settings
from medfund.web.api import create_app
from medfund.web.overview import known_months
from projections.queries.monthly import monthly_figures
from settlement.tokens import token_hash

TOKEN = "a token that only its hash is kept of"
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--no-first-run",
)


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Books]:
    url = f"sqlite:///{tmp_path_factory.mktemp('book') / 'book.db'}"
    schema.upgrade(url)
    with FundLedger(url, clock=Clock()) as ledger:
        opened = Books(ledger)
        fill(opened)
        yield opened


def fill(books: Books) -> None:
    books.found("310", "390", "610")
    hashed = token_hash(TOKEN)
    books.append(
        [
            setup.TokenIssued(
                area="330604", by="admin1", name="reader1", role="reader", token_hash=hashed
            ),
            setup.TargetSet(
                area="330604",
                by="admin1",
                indicator="payable_months.trailing12",
                fund="390",
                year=2023,
                at_least="6.00",
            ),
        ]
    )
    books.post(
        flow("opening_balance", "310.pooled", 3_000_000, "2021-12-31"),
        flow("opening_balance", "390", 600_000, "2021-12-31"),
    )
    for year, spent in ((2022, 100_000), (2023, 106_850)):
        for month in range(1, 13 if year == 2022 else 11):
            books.post(
                flow("contribution.employer", "310.pooled", 120_000, f"{year}-{month:02d}-05"),
                flow("benefit.inpatient", "310.pooled", spent, f"{year}-{month:02d}-09"),
                flow("contribution.individual", "390", 90_000, f"{year}-{month:02d}-05"),
                flow("benefit.chronic", "390", 100_000, f"{year}-{month:02d}-09"),
            )


@pytest.fixture(scope="module")
def house(books: Books) -> Iterator[House]:
    url = str(books.ledger._address.shown)
    with open_house(load_settings(database_url=url)) as opened:
        yield opened


@pytest.fixture(scope="module")
def address(house: House) -> Iterator[str]:
    with served(create_app(house)) as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with ExitStack() as opened:
        playwright = opened.enter_context(sync_playwright())
        browser = playwright.chromium.launch(
            executable_path=str(require_chromium()), args=list(ARGUMENTS)
        )
        opened.callback(browser.close)
        yield browser


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """A browser of its own, that nobody has signed in, and what it asked the network for."""
    context = browser.new_context(
        base_url=address, locale="zh-CN", viewport={"width": 1280, "height": 800}
    )
    opened = context.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    opened.on("request", lambda request: asked.append(request.url))
    opened.on("console", lambda message: complaints.append(message.text))
    yield opened
    context.close()
    assert [url for url in asked if not url.startswith(address)] == []
    assert [text for text in complaints if "401" not in text] == []


def sign_in(page: Page, path: str = "/") -> None:
    page.goto(path)
    page.get_by_label("访问令牌").fill(TOKEN)
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("heading", name="基金总览")).to_be_visible()


def test_without_a_token_there_is_only_the_form(page):
    page.goto("/?period=2023-09")
    expect(page).to_have_url(f"{page.url.partition('/login')[0]}/login?period=2023-09")
    expect(page.get_by_label("访问令牌")).to_be_focused()
    assert page.locator("table").count() == 0
    page.get_by_label("访问令牌").fill("wrong")
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("alert")).to_have_text("令牌无效或已吊销。")


def test_the_session_is_kept_from_scripts_and_ends_when_asked(page):
    sign_in(page)
    (cookie,) = page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    assert TOKEN not in cookie["value"]
    page.get_by_role("button", name="退出").click()
    expect(page.get_by_label("访问令牌")).to_be_visible()
    page.goto("/")
    expect(page.get_by_label("访问令牌")).to_be_visible()


def test_a_session_that_was_tampered_with_opens_nothing(page):
    sign_in(page)
    (cookie,) = page.context.cookies()
    body, _, signature = cookie["value"].rpartition(".")
    forged = [
        f"{body}.{signature[:-1]}{'0' if signature[-1] != '0' else '1'}",
        f".{signature}",
        "x",
    ]
    for value in forged:
        page.context.add_cookies([{**cookie, "value": value}])
        page.goto("/")
        expect(page.get_by_label("访问令牌")).to_be_visible()


def test_the_page_shows_what_the_api_answers(page, address, house):
    sign_in(page)
    consumer = Consumer(address, TOKEN)
    document = consumer.get("/v1/indicators?period=2023-10").json()
    expect(page.locator("#position")).to_have_text(f"{document['position']:,}")
    expect(page.locator(".asof")).to_contain_text("截至日志位置")
    shown = {
        (row["fund"], row["name"]): row
        for row in document["indicators"]
        if page.locator(f'#indicator-table [data-fund="{row["fund"]}"]').count()
    }
    for fund in ("310", "310.pooled", "310.personal", "390", "610", "basic"):
        line = page.locator(f'#indicator-table tr[data-fund="{fund}"]')
        for name in (
            "income_growth_ytd",
            "expenditure_growth_ytd",
            "payable_months.trailing12",
            "payable_months.ytd_average",
            "payable_months.prior_year",
            "payable_months.adjusted",
        ):
            row = shown[fund, name]
            cell = line.locator(f'td[data-name="{name}"]')
            text = row["value"] if row["value"] is not None else f"— {row['reason_text']}"
            expect(cell).to_have_text(text)
    balances = consumer.get("/v1/balances?as_of=2023-10").json()
    for row in balances["funds"]:
        cells = page.locator(f'#balance-table tr[data-fund="{row["fund"]}"] td').all_inner_texts()
        figures = ("income_fen", "expense_fen", "surplus_fen", "accumulated_fen")
        assert cells[:4] == [format_yuan(row[name]) for name in figures]
    figures = monthly_figures(house.reads, house.ledger, area=None)
    assert page.locator("#period option").count() == len(known_months(figures))


def test_headlines_name_their_scope_target_and_definition(page):
    sign_in(page)
    card = page.locator("#card-310")
    expect(card).to_contain_text("310.pooled")
    expect(card).to_contain_text("6.85")
    residents = page.locator("#card-390")
    expect(residents.locator(".status")).to_have_text("未达标 ≥ 6.00")
    residents.get_by_role("link", name="可支付月数").click()
    target = page.locator(":target")
    expect(target).to_contain_text("payable_months.trailing12@1")
    expect(target).to_contain_text("期末累计结余 ÷ 截至本期的12个月月均支出")


def test_charts_draw_the_figures_of_their_table(page):
    sign_in(page)
    for chart in ("payable", "growth"):
        figure = page.locator(f"figure:has(#{chart}-title)")
        expect(figure.get_by_role("img")).to_be_visible()
        assert figure.locator("polyline").count() == 2
    page.get_by_text("走势图数据").click()
    cells = page.locator("#trend-table tbody tr").first.locator("td").all_inner_texts()
    titles = page.locator("figure:has(#payable-title) .s1 circle title").all_text_contents()
    assert [text for text in cells[1:] if text != "—"] == [
        title.rpartition(": ")[2] for title in titles
    ]
    assert "—" in cells  # the first months have no twelve months behind them: a gap, not nil


def test_another_month_and_the_other_language(page):
    sign_in(page)
    page.get_by_label("月份").select_option("2023-05")
    page.get_by_role("button", name="查看").click()
    expect(page.get_by_label("月份")).to_have_value("2023-05")
    page.get_by_role("link", name="English").click()
    expect(page.get_by_role("heading", name="Funds at a glance")).to_be_visible()
    expect(page.get_by_label("Month", exact=True)).to_have_value("2023-05")
    assert page.locator("html").get_attribute("lang") == "en"
    expect(page.locator(".asof")).to_contain_text("As of log position")


def test_the_page_fits_a_laptop_and_can_be_used_by_keyboard(page):
    sign_in(page)
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 1280
    page.keyboard.press("Tab")
    expect(page.get_by_text("跳到内容")).to_be_focused()
    unnamed = page.evaluate(
        "[...document.querySelectorAll('select,input:not([type=hidden])')]"
        ".filter(one => !one.labels.length).length"
    )
    assert unnamed == 0


def test_a_form_sent_from_elsewhere_lets_nobody_in(address):
    import httpx  # noqa: PLC0415  the only test without a browser

    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://elsewhere.example"}):
        answer = httpx.post(f"{address}/login", data={"token": TOKEN}, headers=headers)
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers
    answer = httpx.post(f"{address}/login", data={"token": TOKEN}, headers={"Origin": address})
    assert answer.status_code == 303


def test_what_is_written_into_the_books_is_shown_as_text(books, page):
    books.append([setup.AreaConfigured(area="330604", by="admin1", name="<b>上虞</b>", options={})])
    sign_in(page)
    expect(page.locator(".where")).to_contain_text("<b>上虞</b>")


def test_an_empty_book_says_so(tmp_path: Path, browser: Browser):
    url = f"sqlite:///{tmp_path / 'book.db'}"
    schema.upgrade(url)
    with FundLedger(url, clock=Clock()) as ledger:
        empty = Books(ledger)
        empty.found("390")
        empty.append(
            [
                setup.TokenIssued(
                    area="330604",
                    by="admin1",
                    name="reader1",
                    role="reader",
                    token_hash=token_hash(TOKEN),
                )
            ]
        )
        with open_house(load_settings(database_url=url)) as house, served(create_app(house)) as at:
            context = browser.new_context(base_url=at, locale="zh-CN")
            page = context.new_page()
            sign_in(page)
            expect(page.locator(".empty")).to_have_text("尚无收支数据。")
            context.close()
