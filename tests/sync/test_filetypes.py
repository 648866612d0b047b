"""What a file is: by its name, by its first bytes; and names made harmless."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.sync.filetypes import LONGEST_NAME, allowed, by_extension, fit_name, judge, sniff

USUAL = ("image/*", "application/pdf", "text/*")
PNG = b"\x89PNG\r\n\x1a\n...."
ZIP = b"PK\x03\x04...."


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"", ""),
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"%PDF-1.7", "application/pdf"),
        (b"MZ\x90\x00", "application/x-dosexec"),
        (b"\x7fELF\x02", "application/x-executable"),
        (b"#!/bin/sh\n", "text/x-shellscript"),
        (b"  <!DOCTYPE html><p>", "text/html"),
        (b"<?xml version='1.0'?>\n<!-- a --><svg>", "image/svg+xml"),
        (b"<note>x</note>", "text/plain"),
        ("Grüße".encode(), "text/plain"),
        ("Grüße".encode("latin-1"), "text/plain"),
        ("Grüße".encode("utf-16"), "text/plain"),
        (b"\x00\x01\x02", "application/octet-stream"),
    ],
)
def test_first_bytes_tell_what_a_file_is(head, kind):
    assert sniff(head) == kind


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("a.png", PNG),
        ("a.PNG", PNG),
        ("a.jpg", PNG),
        ("a.pdf", b"%PDF-1.4"),
        ("a.txt", b"words"),
        ("a.txt", b""),
        ("a.png", b""),
        ("a.txt", b"<html>shown as text"),
        ("a.log", b"#!/bin/sh at the top"),
        ("README", b"words"),
    ],
)
def test_usual_files_may_cross(name, head):
    assert judge(name, head, USUAL)[1] == ""


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("a.png", b"MZ\x90"),
        ("a.txt", b"MZ\x90"),
        ("a.pdf", b"\x7fELF"),
        ("a.png", b"words"),
        ("a.png", b"\x00\x01"),
        ("a.png", b"<svg onload=x>"),
        ("a.txt", b"\x00\x01"),
        ("a.pdf", ZIP),
        ("a.exe", b"MZ\x90"),
        ("a", b"MZ\x90"),
        ("a", b"<html>"),
        ("a.html", b"<html>"),
        ("a.svg", b"<svg>"),
        ("a.js", b"alert(1)"),
        ("a.docx", ZIP),
        ("a.bin", b"\x00"),
    ],
)
def test_others_stay_with_a_reason(name, head):
    assert name in judge(name, head, USUAL)[1]


def test_everything_but_what_can_act_crosses_where_all_types_do():
    assert judge("a.docx", ZIP, ()) == (by_extension("a.docx"), "")
    assert judge("a.exe", b"MZ", ())[1] == ""
    assert judge("a.png", b"MZ", ())[1] != "", "still no lie"
    assert judge("a.html", b"<html>", ())[1] != ""
    assert judge("a.html", b"<html>", ("text/html",))[1] == ""
    assert not allowed("image/svg+xml", ("image/*",))


@pytest.mark.parametrize(
    ("name", "harmless"),
    [
        ("plan.txt", "plan.txt"),
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\plan.txt", "plan.txt"),
        ("a\u202egnp.exe", "agnp.exe"),
        ("a\u200b\x00\nb.txt", "ab.txt"),
        ("e\u0301.txt", "\u00e9.txt"),
        ("con", "_con"),
        ("NUL.txt", "_NUL.txt"),
        ("a<b>|c?.txt", "a_b__c_.txt"),
        (".bashrc", ".bashrc"),
        ("..", "file"),
        ("", "file"),
        ("dir/", "file"),
        ("  two  words .txt ", "two words .txt"),
        ("x" * 300 + ".pdf", "x" * 251 + ".pdf"),
    ],
)
def test_names_are_made_harmless(name, harmless):
    assert fit_name(name) == harmless


@given(st.text(max_size=400))
def test_any_name_becomes_one_that_is_harmless_everywhere(name):
    fit = fit_name(name)
    assert fit
    assert len(fit.encode()) <= LONGEST_NAME
    assert not set(fit) & set('/\\<>:"|?*')
    assert all(unicodedata.category(sign) not in {"Cc", "Cf", "Cs"} for sign in fit)
    assert fit not in {".", ".."}
    assert fit_name(fit) == fit


@given(st.binary(max_size=64), st.sampled_from(["a.png", "a.txt", "a.pdf", "a", "a.exe", "a.docx"]))
def test_no_program_crosses_as_anything_else(head, name):
    for mark in (b"MZ", b"\x7fELF"):
        assert judge(name, mark + head, USUAL)[1] != ""
