"""Who may see what of flags in the admin; nothing is edited past the record."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from flags.models import Change, Flag
from tests.flags import pages
from tests.flags.conftest import SignIn

TO_LOOK = [pages.CONTROL, pages.HISTORY, pages.EXPORT]
TO_CHANGE = [pages.KILL, pages.IMPORT, f"{pages.HISTORY}1/revert/"]
ANSWERS = [pages.PERCENT, pages.SETTINGS, pages.CONFIRM]
STOCK = ["/admin/flags/flag/", "/admin/flags/change/"]


@pytest.mark.django_db
@pytest.mark.parametrize("url", [*TO_LOOK, *TO_CHANGE, *ANSWERS])
def test_who_is_not_signed_in_is_asked_to(client: Client, url: str) -> None:
    answered = client.get(url)

    assert answered.status_code == 302
    assert answered.headers["Location"].startswith("/admin/login/")


@pytest.mark.parametrize("url", [*TO_LOOK, *TO_CHANGE, *ANSWERS, *STOCK])
def test_staff_without_a_permission_of_flags_is_refused(
    sign_in: SignIn, url: str
) -> None:
    mallory = sign_in("mallory")

    assert mallory.get(url).status_code == 403
    assert mallory.post(url).status_code == 403


@pytest.mark.parametrize("url", [*TO_LOOK, *STOCK])
def test_a_viewer_sees_everything(viewer: Client, url: str) -> None:
    assert viewer.get(url).status_code == 200


@pytest.mark.parametrize("url", [*TO_CHANGE, *ANSWERS])
def test_a_viewer_changes_nothing(viewer: Client, url: str) -> None:
    pages.turn_on()

    assert viewer.get(url).status_code == 403
    assert viewer.post(url, {"reason": "Because."}).status_code == 403
    assert pages.held("USE_PERSISTENT_SESSIONS") is True


def test_a_viewer_gets_no_form_that_changes_anything(viewer: Client) -> None:
    pages.turn_on()

    shown = [viewer.get(pages.CONTROL), viewer.get(pages.HISTORY)]

    assert all('method="post"' not in pages.content(each) for each in shown)
    assert all("Switch off" not in pages.words(each) for each in shown)
    assert all("Revert" not in pages.words(each) for each in shown)
    assert "Max persistent sessions" in pages.words(shown[0])


@pytest.mark.parametrize("url", [*TO_LOOK, pages.KILL, pages.IMPORT])
def test_the_permission_to_operate_is_enough(sign_in: SignIn, url: str) -> None:
    assert sign_in("olga", "operate").get(url).status_code == 200


@pytest.mark.parametrize("url", ANSWERS)
def test_who_comes_by_an_address_of_a_form_sees_the_control_page(
    alice: Client, url: str
) -> None:
    assert alice.get(url).headers["Location"] == pages.CONTROL


def test_a_hidden_field_that_was_altered_is_refused(alice: Client) -> None:
    proposed = pages.ask_percent(alice, 10)
    signed = pages.inputs(proposed)["wish"]
    seen = pages.inputs(alice.get(pages.CONTROL))["seen"]

    for wish in ("", "nonsense", signed[:-1], seen):
        answered = alice.post(pages.CONFIRM, {"wish": wish, "reason": "Because."})
        assert answered.status_code == 400

    assert pages.by_people() == []


@pytest.mark.parametrize("model", ["flag", "change"])
def test_even_a_superuser_edits_nothing_on_the_stock_pages(
    sign_in: SignIn, model: str
) -> None:
    root = sign_in("root")
    User.objects.filter(username="root").update(is_superuser=True)
    row = {"flag": Flag.objects.first(), "change": Change.objects.first()}[model]
    stock = f"/admin/flags/{model}/"

    assert row is not None
    one = f"{stock}{row.pk}/"
    assert root.get(f"{stock}add/").status_code == 403
    assert root.get(f"{one}delete/").status_code == 403
    assert root.post(f"{one}change/", {"name": "x"}).status_code == 403
    assert '<input type="submit"' not in root.get(f"{one}change/").content.decode()
    assert "delete_selected" not in root.get(stock).content.decode()


@pytest.mark.parametrize("url", STOCK)
def test_the_stock_pages_lead_to_the_control_page(viewer: Client, url: str) -> None:
    listed = viewer.get(url).content.decode()
    row = re.search(rf'href="({url}\d+/change/)"', listed)

    assert row is not None
    assert f'href="{pages.CONTROL}"' in listed
    assert f'href="{pages.CONTROL}"' in viewer.get(row[1]).content.decode()


def test_the_index_leads_there_whom_it_concerns(
    viewer: Client, sign_in: SignIn
) -> None:
    mallory = sign_in("mallory")

    assert "Rollout and settings" in viewer.get("/admin/").content.decode()
    assert "Rollout and settings" not in mallory.get("/admin/").content.decode()


@pytest.mark.parametrize("url", ["/admin/flags/change/", pages.HISTORY, pages.CONTROL])
def test_more_changes_cost_no_more_queries(
    viewer: Client, url: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    viewer.get(url)
    with django_assert_max_num_queries(100) as few:
        viewer.get(url)

    for count in range(20, 30):
        pages.change(MAX_RECOVERY_HISTORY_MESSAGES=count)

    with django_assert_max_num_queries(len(few.captured_queries)):
        viewer.get(url)
