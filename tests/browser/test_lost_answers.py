"""The network fails around a send: nothing is lost, nothing is said twice."""

from playwright.sync_api import Page, Route, expect

from tests.browser.steps import answers, begin, say, wait_until_done


def test_a_send_that_never_arrives_is_sent_again(page: Page) -> None:
    begin(page, "Hello")
    wait_until_done(page)
    tries: list[str] = []

    def fail_twice(route: Route) -> None:
        tries.append(route.request.post_data or "")
        if len(tries) <= 2:
            route.abort()
        else:
            route.continue_()

    page.route("**/send", fail_twice)

    say(page, "Again")

    wait_until_done(page, count=2)
    assert len(set(tries)) == 1
    page.reload()
    expect(page.locator(".message-user")).to_have_count(2)


def test_a_send_whose_answer_is_lost_is_not_said_twice(page: Page) -> None:
    begin(page, "Hello")
    wait_until_done(page)
    tries: list[str] = []

    def lose_the_first_answer(route: Route) -> None:
        tries.append(route.request.post_data or "")
        if len(tries) == 1:
            route.fetch()
            route.abort()
        else:
            route.continue_()

    page.route("**/send", lose_the_first_answer)

    say(page, "Only once")

    wait_until_done(page, count=2)
    assert len(tries) == 2
    page.reload()
    expect(page.locator(".message-user")).to_have_count(2)
    expect(answers(page)).to_have_count(2)


def test_a_dead_network_keeps_the_text_and_the_key_over_a_reload(page: Page) -> None:
    begin(page, "Hello")
    wait_until_done(page)
    keys: list[str] = []

    def lose_the_answer(route: Route) -> None:
        if not keys:
            route.fetch()
        keys.append((route.request.post_data or "").partition("key=")[2][:32])
        route.abort()

    page.route("**/send", lose_the_answer)
    say(page, "Only once")
    expect(page.get_by_role("alert")).to_contain_text("can't be reached")
    page.unroute("**/send")

    page.reload()
    expect(page.get_by_label("Your message")).to_have_value("Only once")
    expect(page.locator(".message-user")).to_have_count(2)
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_label("Your message")).to_have_value("")

    wait_until_done(page, count=2)
    expect(page.locator(".message-user")).to_have_count(2)
    page.reload()
    expect(page.locator(".message-user")).to_have_count(2)
    assert len(set(keys)) == 1


def test_a_send_can_be_repeated_by_hand(page: Page) -> None:
    begin(page, "Hello")
    wait_until_done(page)
    page.route("**/send", lambda route: route.abort())
    say(page, "Again")
    expect(page.get_by_role("alert")).to_contain_text("can't be reached")
    page.unroute("**/send")

    page.get_by_role("button", name="Send again").click()

    wait_until_done(page, count=2)
    expect(page.get_by_role("alert")).to_be_hidden()


def test_a_draft_survives_a_reload_and_ends_with_the_send(page: Page) -> None:
    page.goto("/")
    page.get_by_label("Your message").fill("Half a thou")

    page.reload()
    expect(page.get_by_label("Your message")).to_have_value("Half a thou")
    say(page, "Half a thought")
    page.wait_for_url("**/c/*/")
    page.goto("/")

    expect(page.get_by_label("Your message")).to_have_value("")


def test_drafts_of_two_conversations_stay_apart(page: Page) -> None:
    begin(page, "Hello")
    wait_until_done(page)
    page.get_by_label("Your message").fill("for the first")
    address = page.url

    page.goto("/")
    expect(page.get_by_label("Your message")).to_have_value("")
    page.goto(address)

    expect(page.get_by_label("Your message")).to_have_value("for the first")


def test_a_refused_stream_is_asked_for_again(page: Page) -> None:
    begin(page, "Hello")
    wait_until_done(page)
    refused: list[str] = []

    def refuse_once(route: Route) -> None:
        refused.append(route.request.url)
        if len(refused) == 1:
            route.fulfill(status=503, body="")
        else:
            route.continue_()

    page.route("**/events*", refuse_once)

    say(page, "Long [[say words=100 delay_ms=20]]")

    wait_until_done(page, count=2)
    assert len(refused) == 2


def test_an_answer_that_ended_meanwhile_is_fetched(page: Page) -> None:
    begin(page, "Hello")
    wait_until_done(page)

    def say_that_nothing_runs(route: Route) -> None:
        page.wait_for_timeout(500)
        route.fulfill(status=204)

    page.route("**/events*", say_that_nothing_runs)

    say(page, "Short [[say words=5]]")

    assert wait_until_done(page, count=2).startswith("Answer")
