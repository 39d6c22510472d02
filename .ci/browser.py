"""Goes through JupyterLab in a browser as a person does: see .ci/browser.

It prints a line for each expectation, takes screenshots on the way, and fails
if one is not met.
"""

import argparse
import contextlib
import json
import os
import pathlib
import re
import subprocess
import sys
import time
import traceback
import urllib.request

from playwright.sync_api import Error, sync_playwright

KERNEL = {"name": "gonb-kn", "display_name": "Go (knowledge neurons)", "language": "go"}
# JupyterLab shows failures so, and what a program writes to its standard error.
RED = '[data-mime-type="application/vnd.jupyter.stderr"]'

# What belongs into a picture or a script, not on the page.
SOURCE = re.compile(r'provenance|<\?xml|<svg|xmlns|use strict|function \(|\{\s*"\w+"\s*:', re.IGNORECASE)

# PICTURES lists the pictures of an element that are large enough to be charts.
# Ink is the share of pixels that differ from the first one.
PICTURES = """async (area) => {
  const all = [];
  for (const e of area.querySelectorAll('img, svg, canvas')) {
    const box = e.getBoundingClientRect();
    const seen = e.checkVisibility({opacityProperty: true, visibilityProperty: true});
    if (!seen || box.width < 300 || box.height < 200) { continue; }
    let picture = e, natural = box.width;
    if (e.tagName === 'svg') {
      picture = new Image();
      picture.src = 'data:image/svg+xml,' + encodeURIComponent(new XMLSerializer().serializeToString(e));
    }
    if (e.tagName !== 'CANVAS') {
      try { await picture.decode(); } catch (fault) { /* its width is 0 */ }
      natural = e.tagName === 'svg' ? box.width : picture.naturalWidth;
    }
    let ink = 0;
    if (natural > 0) {
      const canvas = document.createElement('canvas');
      canvas.width = 300;
      canvas.height = 200;
      const pen = canvas.getContext('2d');
      pen.fillStyle = '#fff';
      pen.fillRect(0, 0, 300, 200);
      pen.drawImage(picture, 0, 0, 300, 200);
      const d = pen.getImageData(0, 0, 300, 200).data;
      for (let i = 0; i < d.length; i += 4) {
        if (Math.abs(d[i] - d[0]) + Math.abs(d[i + 1] - d[1]) + Math.abs(d[i + 2] - d[2]) > 30) { ink++; }
      }
      ink /= 300 * 200;
    }
    all.push({tag: e.tagName.toLowerCase(), width: box.width, height: box.height, natural: natural, ink: ink});
  }
  return all;
}"""


class Stop(Exception):
    """What is left of a part makes no sense after a failure."""


class Checks:
    def __init__(self):
        self.met, self.failed = 0, []

    def expect(self, what, met, why=""):
        if met:
            self.met += 1
            print(f"ok: {what}", flush=True)
        else:
            self.failed.append(what)
            why = " ".join(str(why).split())
            print(f"FAIL: {what}" + (f" ({why[:600]})" if why else ""), flush=True)
        return met

    def must(self, what, met, why=""):
        if not self.expect(what, met, why):
            raise Stop

    @contextlib.contextmanager
    def part(self, name):
        start = time.time()
        print(f"-- {name}", flush=True)
        try:
            yield
        except Stop:
            print("   the rest of it is left out", flush=True)
        except Exception as fault:
            traceback.print_exc()
            self.expect(f"{name}: gone through to the end", False, str(fault).splitlines()[0])
        print(f"-- {name}: {time.time() - start:.0f} s", flush=True)


class Server:
    """A running JupyterLab."""

    def __init__(self, url, token, root):
        self.url, self.token, self.root = url, token, pathlib.Path(root)

    def ask(self, method, path, content=None):
        data = None if content is None else json.dumps(content).encode()
        request = urllib.request.Request(
            f"{self.url}/api/{path}", data, {"Authorization": f"token {self.token}", "Content-Type": "application/json"}, method=method
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def kernels(self):
        return self.ask("GET", "kernels")

    def stop_kernels(self):
        for session in self.ask("GET", "sessions"):
            self.ask("DELETE", f"sessions/{session['id']}")

    def notebook(self, name):
        return json.loads((self.root / name).read_text())

    def new_notebook(self, name, *cells):
        content = {
            "cells": [
                {"cell_type": "code", "id": f"c{i}", "execution_count": None, "metadata": {}, "outputs": [], "source": code}
                for i, code in enumerate(cells)
            ],
            "metadata": {"kernelspec": KERNEL},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
        self.ask("PUT", f"contents/{name}", {"type": "notebook", "format": "json", "content": content})


class Lab:
    """A notebook that is open in the browser."""

    def __init__(self, checks, server, context, shots, name):
        self.checks, self.server, self.name, self.shots = checks, server, name, shots
        self.stem = name.removesuffix(".ipynb")
        self.page = context.new_page()
        # A workspace of its own, so that no other notebook opens beside it.
        self.page.goto(f"{server.url}/lab/workspaces/{self.stem}/tree/{name}?token={server.token}")
        self.page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=120_000)
        self.opened = time.time()
        self.decline_news()

    def decline_news(self):
        with contextlib.suppress(Error):
            self.page.get_by_role("button", name="No", exact=True).click(timeout=1500)

    def close(self):
        self.page.close()
        self.server.stop_kernels()

    def shot(self, name, whole=False):
        """Takes a picture of the window, or of the whole notebook."""
        path = os.path.join(self.shots, f"{name}.png")
        if whole:
            size = self.page.viewport_size
            high = self.page.evaluate("() => { const e = document.querySelector('.jp-WindowedPanel-outer'); return e ? e.scrollHeight : 0 }")
            self.page.set_viewport_size({"width": size["width"], "height": min(16_000, max(size["height"], high + 160))})
            self.page.evaluate("() => document.querySelector('.jp-WindowedPanel-outer')?.scrollTo(0, 0)")
            time.sleep(1.5)
        self.page.screenshot(path=path)
        if whole:
            self.page.set_viewport_size(size)
            time.sleep(0.5)

    def status(self):
        """What the status bar says of the kernel, such as Idle."""
        texts = self.page.locator("#jp-main-statusbar .jp-StatusBar-TextItem").all_inner_texts()
        return next((t.split("|")[-1].strip() for t in texts if "|" in t), "")

    def trust(self):
        return self.page.locator(".jp-StatusItem-trust").get_attribute("title") or ""

    def dialog(self):
        box = self.page.locator(".jp-Dialog")
        return box.first.inner_text() if box.count() else ""

    def menu(self, menu, item):
        self.page.locator(".lm-MenuBar-itemLabel").get_by_text(menu, exact=True).click()
        self.page.locator(".lm-Menu-itemLabel").get_by_text(item, exact=True).click()

    def cell(self, i):
        return self.page.locator(".jp-Notebook .jp-CodeCell").nth(i)

    def prompts(self):
        return [t.strip() for t in self.page.locator(".jp-Notebook .jp-CodeCell .jp-InputPrompt").all_text_contents()]

    def await_idle(self, limit):
        """Waits until the kernel is idle and stays so for two seconds."""
        end, since = time.time() + limit, None
        while time.time() < end:
            if self.status() != "Idle" or any("*" in p for p in self.prompts()):
                since = None
            elif since is None:
                since = time.time()
            elif time.time() - since > 2:
                return True
            time.sleep(0.1)
        return False

    def opens(self):
        """Expects what is expected of every notebook that is opened."""
        idle = self.await_idle(60)
        took = time.time() - self.opened - 2
        self.shot(f"{self.stem}-open")
        counts = [c["execution_count"] for c in self.server.notebook(self.name)["cells"] if c["cell_type"] == "code"]
        ran = self.prompts() != [f"[{n or ' '}]:" for n in counts]
        alive = [k["execution_state"] for k in self.server.kernels()]
        self.checks.must(
            f"{self.name} opens, and its kernel is idle before any cell is run ({took:.1f} s)",
            idle and not self.dialog() and not ran and "idle" in alive,
            f"the status is {self.status()!r}, the server says {alive}, prompts {ran}, dialog {self.dialog()!r}",
        )

    def run_all(self):
        self.menu("Run", "Run All Cells")
        time.sleep(0.5)

    def select(self, i):
        """Selects a cell, in command mode."""
        self.cell(i).scroll_into_view_if_needed()
        self.cell(i).locator(".jp-InputPrompt").click()

    def start(self, i):
        self.select(i)
        self.page.keyboard.press("Control+Enter")
        time.sleep(0.3)

    def run(self, i, limit=90):
        """Runs a cell and returns what stands below it."""
        self.start(i)
        self.await_idle(limit)
        return self.outputs(i)

    def stop(self):
        """Presses the stop button."""
        self.page.locator('.jp-NotebookPanel-toolbar [data-command="notebook:interrupt-kernel"]').click()

    def outputs(self, i):
        """The outputs of a cell, as pairs of a media type and a text."""
        self.cell(i).scroll_into_view_if_needed()
        return self.cell(i).evaluate(
            """(cell) => [...cell.querySelectorAll('.jp-OutputArea-child')].map((child) => {
                const output = child.querySelector('.jp-OutputArea-output');
                return [output && output.dataset.mimeType || '', child.querySelector('.jp-OutputArea-output')?.innerText.trim() || ''];
            }).filter((o) => o[0] || o[1])"""
        )

    def pictures(self, i):
        area = self.cell(i).locator(".jp-OutputArea").first
        area.scroll_into_view_if_needed()
        time.sleep(0.3)  # pictures load when they are seen
        return area.evaluate(PICTURES)

    def output_text(self):
        return "\n".join(self.page.locator(".jp-Notebook .jp-OutputArea-output").all_inner_texts())

    def active(self):
        """The selected cell, and how far the notebook is scrolled."""
        return self.page.evaluate(
            """() => [...document.querySelectorAll('.jp-Notebook .jp-Cell')].findIndex((c) => c.classList.contains('jp-mod-active'))"""
        )

    def save(self, focus=""):
        """Saves by Ctrl+S, from what has the focus."""
        where = f" with the focus on {focus}" if focus else ""
        self.page.keyboard.press("Control+s")
        saved = self.is_saved()
        if not self.checks.expect(f"{self.name} is saved by Ctrl+S{where}", saved, self.dialog()):
            self.page.locator('.jp-NotebookPanel-toolbar [data-command="docmanager:save"]').click()  # for what follows
            self.checks.must(f"{self.name} is saved by the button", self.is_saved(), self.dialog())

    def is_saved(self):
        end = time.time() + 10
        while time.time() < end:
            if not self.page.locator(".lm-TabBar-tab.jp-mod-dirty").count():
                return True
            time.sleep(0.1)
        return False


def charts(notebook):
    """The numbers, among code cells, of those that show a chart, with it."""
    code = ["".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "code"]
    return [(i, "the chart of cell [{}]".format(i + 1)) for i, c in enumerate(code) if re.search(r"plots\.MustShow\w*\(|MustLiveTraining\(", c)]


def kept_bars(notebook):
    """Progress bars that a saved notebook still has."""
    found = []
    for c in notebook["cells"]:
        for o in c.get("outputs", []):
            data = o.get("data", {})
            html, text = "".join(data.get("text/html", "")), "".join(data.get("text/plain", ""))
            if "<progress" in html or re.match(r"\d+ of \d+ ", text):
                found.append(text or html)
    return found


def is_chart(picture):
    return picture["natural"] > 0 and picture["ink"] > 0.005


def executed(c, lab, limit, seconds):
    """Expects that everything was run, without failures and red."""
    prompts = lab.prompts()
    red = lab.page.locator(f".jp-Notebook {RED}").all_inner_texts()
    numbers = prompts == [f"[{i + 1}]:" for i in range(len(prompts))]
    c.expect(f"Run All of {lab.name} succeeds within {limit} s ({seconds:.0f} s)", numbers and seconds < limit, f"prompts {prompts}, red {red}")
    c.expect(f"{lab.name}: nothing has a red background", not red, red)
    bars = lab.page.locator(".jp-Notebook progress").count()
    c.expect(f"{lab.name}: no progress bar is left", not bars, f"{bars} are")


def sees_charts(c, lab, kinds, how=""):
    for i, what in charts(lab.server.notebook(lab.name)):
        pictures = lab.pictures(i)
        good = [p for p in pictures if is_chart(p) and p["tag"] in kinds]
        c.expect(f"{lab.name}{how}: {what} is seen", good, f"pictures {pictures}, outputs {lab.outputs(i)}")


def untrusted_copy(server, name):
    """Makes a copy that Jupyter has no signature of, as if it came by mail."""
    notebook = server.notebook(name)
    text = next(cell for cell in notebook["cells"] if cell["cell_type"] == "markdown")
    text["source"] = "".join(text["source"]) + "\n\nThis copy came by mail."
    copy = name.replace(".ipynb", "-by-mail.ipynb")
    (server.root / copy).write_text(json.dumps(notebook, indent=1))
    return copy


def opened_untrusted(c, lab):
    lab.opens()
    c.must(f"{lab.name} is not trusted", lab.trust().startswith("Notebook not trusted"), lab.trust())
    sees_charts(c, lab, ("img",), ", not trusted")
    found = SOURCE.search(lab.output_text())
    c.expect(f"{lab.name}: no picture's or script's source is on the page", not found, found and lab.output_text()[max(0, found.start() - 100) : found.end() + 300])
    lab.shot(f"{lab.stem}-not-trusted", whole=True)


def quickstart(c, server, browser, args):
    with browser.lab("quickstart.ipynb") as lab:
        lab.opens()
        start = time.time()
        lab.run_all()
        with contextlib.suppress(Error):  # what is quick has no bar
            lab.page.locator(".jp-Notebook progress").first.scroll_into_view_if_needed(timeout=60_000)
            lab.shot("quickstart-progress")
        lab.await_idle(180)
        executed(c, lab, 180, time.time() - start)
        sees_charts(c, lab, ("img", "svg"))
        lab.shot("quickstart-run", whole=True)
        lab.save()
    notebook = server.notebook("quickstart.ipynb")
    c.expect("the saved quickstart.ipynb has no progress bar", not kept_bars(notebook), kept_bars(notebook))
    with browser.lab(untrusted_copy(server, "quickstart.ipynb")) as lab:
        opened_untrusted(c, lab)
    exported(c, server, browser, args, "quickstart.ipynb")


def exported(c, server, browser, args, name):
    """Looks at the page that nbconvert makes, without a network."""
    result = subprocess.run([args.jupyter, "nbconvert", "--to", "html", "--output-dir", args.shots, str(server.root / name)], capture_output=True, text=True)
    c.must(f"nbconvert exports {name}", result.returncode == 0, result.stderr[-600:])
    page = browser.context.new_page()
    page.route(re.compile(r"^https?:"), lambda route: route.abort())
    page.goto("file://" + os.path.join(os.path.abspath(args.shots), name.replace(".ipynb", ".html")))
    spans = page.evaluate(
        """() => {
            const of = (kind) => [...document.querySelectorAll('.highlight span.' + kind)];
            const color = (e) => e && getComputedStyle(e).color;
            return {import: of('kn').length, names: of('nx').length, strings: of('s').length, wrong: of('err').length,
                wrongTexts: of('err').map((e) => e.textContent).slice(0, 5), colors: [color(of('kn')[0]), color(of('nx')[0]), color(of('s')[0])]};
        }"""
    )
    colored = spans["import"] and spans["names"] and spans["strings"] and len(set(spans["colors"])) == 3
    c.expect("the exported page colours Go", colored, spans)
    cells = page.locator(".jp-CodeCell")
    for i, what in charts(server.notebook(name)):
        cells.nth(i).scroll_into_view_if_needed()
        pictures = cells.nth(i).evaluate(PICTURES)
        c.expect(f"the exported page shows {what}", any(is_chart(p) for p in pictures), pictures)
    found = SOURCE.search("\n".join(page.locator(".jp-OutputArea-output").all_inner_texts()))
    c.expect("the exported page has no picture's source as text", not found, found)
    page.screenshot(path=os.path.join(args.shots, "quickstart-exported.png"), full_page=True)
    page.close()


def slide(lab, slider, share):
    """Clicks at a place of a slider, once the page has stopped moving."""
    slider.scroll_into_view_if_needed()
    box = None
    while box != (box := slider.bounding_box()):
        time.sleep(0.7)
    lab.page.mouse.click(box["x"] + share * box["width"], box["y"] + box["height"] / 2)
    time.sleep(0.3)


def live_slider(c, lab):
    """Does what teaching.ipynb says of the slider that drives the model."""
    lines = lab.page.locator(".jp-Notebook .jp-CodeCell .cm-line")
    lines.filter(has_text="const patience = 0").click()
    lab.page.keyboard.press("Home")
    for _ in "const patience = ":
        lab.page.keyboard.press("ArrowRight")
    lab.page.keyboard.press("Delete")
    lab.page.keyboard.type("1")
    lab.page.keyboard.press("Control+Enter")
    live, said = lab.page.locator(".jp-OutputArea input[type=range]:not(.kn-slider input)"), lab.page.locator("#said")
    with contextlib.suppress(Error):
        live.wait_for(timeout=30_000)
        live.scroll_into_view_if_needed()
    if not c.expect("the live slider appears", live.count() == 1 and said.count() == 1, f"{live.count()} sliders, prompts {lab.prompts()}"):
        return
    lab.shot("teaching-live-waits")
    slide(lab, live, 0.9)
    end = time.time() + 15
    while "P(Budapest)" not in said.inner_text() and time.time() < end:
        time.sleep(0.1)
    c.expect("the live slider drives the model", "P(Budapest)" in said.inner_text(), said.inner_text())
    lab.shot("teaching-live")
    lab.stop()
    c.expect("the stop button ends the live slider", lab.await_idle(15), lab.prompts())


def teaching(c, server, browser, args):
    with browser.lab("teaching.ipynb") as lab:
        lab.opens()
        start = time.time()
        lab.run_all()
        lab.await_idle(300)
        executed(c, lab, 300, time.time() - start)
        sees_charts(c, lab, ("img", "svg"))
        lab.shot("teaching-run", whole=True)

        slider = lab.page.locator(".kn-slider input[type=range]")
        slider.scroll_into_view_if_needed()
        slide(lab, slider, 0.5)
        factor = lab.page.locator(".kn-slider [data-kn=factor]")
        c.expect("the mouse moves the slider, which says its factor", factor.inner_text() not in ("", "× 1"), factor.inner_text())
        for key in ("ArrowRight", "ArrowDown", "ArrowUp"):
            slider.focus()
            before, selected, said = slider.input_value(), lab.active(), factor.inner_text()
            lab.page.keyboard.press(key)
            time.sleep(0.3)
            moved = slider.input_value() != before and factor.inner_text() != said
            c.expect(f"{key} moves the slider", moved, f"it was at {before}, {said}, and is at {slider.input_value()}, {factor.inner_text()}")
            c.expect(f"{key} on the slider leaves the selected cell as it is", lab.active() == selected, f"cell {selected} was selected, {lab.active()} is")
        slider.focus()
        cells = lab.page.locator(".jp-Notebook .jp-Cell").count()
        lab.page.keyboard.press("x")
        time.sleep(0.5)
        if not c.expect("x on the slider does not cut its cell out", lab.page.locator(".jp-Notebook .jp-Cell").count() == cells):
            lab.page.keyboard.press("z")  # undo it
            time.sleep(0.5)
        slider.scroll_into_view_if_needed()
        lab.shot("teaching-slider")
        slider.focus()
        lab.save("the slider")
        live_slider(c, lab)
    c.expect("the saved teaching.ipynb has no progress bar", not kept_bars(server.notebook("teaching.ipynb")), kept_bars(server.notebook("teaching.ipynb")))
    with browser.lab(untrusted_copy(server, "teaching.ipynb")) as lab:
        opened_untrusted(c, lab)
        i = charts(server.notebook(lab.name))[0][0]
        text, end = "", time.time() + 10  # outputs are drawn when they are seen
        while "needs its script" not in text and time.time() < end:
            text = "\n".join(text for _, text in lab.outputs(i))
            time.sleep(0.2)
        c.expect(f"{lab.name}: the slider says that it needs its script", "needs its script" in text, text)
        c.expect(f"{lab.name}: no dead slider is seen", not lab.cell(i).locator("input[type=range]:visible").count())
        lab.cell(i).locator(".jp-OutputArea").first.scroll_into_view_if_needed()
        lab.shot("teaching-not-trusted-slider")


def landscapes(c, server, browser, args):
    with browser.lab("loss-landscapes.ipynb") as lab:
        lab.opens()
        start = time.time()
        lab.run_all()
        time.sleep(20)
        lab.shot("loss-landscapes-progress")
        if not lab.await_idle(160):
            print("   it takes more than 3 minutes: left out", flush=True)
            lab.shot("loss-landscapes-left-out", whole=True)
            return
        executed(c, lab, 180, time.time() - start)
        sees_charts(c, lab, ("img", "svg", "canvas"))
        lab.shot("loss-landscapes-run", whole=True)
        surface = lab.page.locator(".kn-turnable canvas")
        surface.scroll_into_view_if_needed()
        surface.focus()
        selected, before = lab.active(), surface.evaluate("(e) => e.toDataURL()")
        lab.page.keyboard.press("ArrowDown")
        time.sleep(0.2)
        c.expect("ArrowDown turns the surface", surface.evaluate("(e) => e.toDataURL()") != before)
        c.expect("ArrowDown on the surface leaves the selected cell as it is", lab.active() == selected)
        surface.focus()
        lab.save("the surface")
    with browser.lab(untrusted_copy(server, "loss-landscapes.ipynb")) as lab:
        opened_untrusted(c, lab)


def error_only(c, lab, what, outputs, *texts):
    """Expects one error, which has each of the texts once."""
    shown = "\n".join(text for _, text in outputs)
    one = len(outputs) == 1 and RED == f'[data-mime-type="{outputs[0][0]}"]' and lab.status() == "Idle"
    c.expect(f"{what} shows one error and nothing else", one, f"status {lab.status()}, outputs {outputs}")
    for text in texts:
        c.expect(f"{what}: the error says {text!r} once", shown.count(text) == 1, shown)
    c.expect(f"{what}: the error has no stack trace", not re.search(r"goroutine|runtime/|\.go:\d+|\[\[", shown), shown)


def own(c, server, browser, args):
    cells = {
        "code without %%": "fmt.Println(1)",
        "a panic": "%%\nvar list []int\nfmt.Println(list[3])",
        "a lone !": "! ",
        "after the lone !": '%%\nfmt.Println("alive")',
        "a failing var": 'import "github.com/knowledge-neurons/gonb-kn/kn"\n\nvar typo = kn.MustLoad("nosuch").MustPredict("x [MASK]")',
        "after the failing var": '%%\nfmt.Println("still well")',
        "an endless loop": "%%\nfor { time.Sleep(time.Second) }",
        "after the endless loop": '%%\nfmt.Println("goes on")',
        "a loop interrupted at once": "%%\nfor { time.Sleep(2 * time.Second) }",
    }
    server.new_notebook("own.ipynb", *cells.values())
    number = {name: i for i, name in enumerate(cells)}
    with browser.lab("own.ipynb") as lab:
        lab.opens()

        def run(name):
            return lab.run(number[name])

        def prints(name, text):
            outputs = run(name)
            c.expect(f"{name}, a cell prints", [o[1] for o in outputs] == [text], outputs)

        error_only(c, lab, "code without %%", run("code without %%"), "a line %%")
        error_only(c, lab, "a panic", run("a panic"), "index out of range [3] with length 0", "cell 2, line 3")
        lab.shot("own-errors")
        error_only(c, lab, "a lone !", run("a lone !"), "there is no command")
        prints("after the lone !", "alive")
        error_only(c, lab, "a failing var", run("a failing var"), 'no embedded model is called "nosuch"', "typo.")
        prints("after the failing var", "still well")
        lab.shot("own-var")

        def interrupted(name, after):
            i = number[name]
            lab.start(i)
            time.sleep(after)
            c.expect(f"{name} runs", lab.prompts()[i] == "[*]:", lab.prompts())
            lab.stop()
            start = time.time()
            ended = lab.await_idle(30)
            took = time.time() - start - 2
            c.expect(f"{name} is interrupted by the stop button within 10 s ({took:.1f} s)", ended and took < 10, f"prompts {lab.prompts()}, status {lab.status()}")
            outputs = lab.outputs(i)
            lines = [line for _, text in outputs for line in text.splitlines() if line.strip()]
            c.expect(f"{name}: one line tells of the interruption", len(lines) == 1 and "interrupted" in lines[0], outputs)

        interrupted("an endless loop", 10)
        prints("after the endless loop", "goes on")
        # Then it is still compiled.
        interrupted("a loop interrupted at once", 0.3)
        lab.shot("own-interrupted")
        lab.shot("own", whole=True)
        lab.save()
        # Only the file says which red text is an error and which a stream.
        kept = [[o["output_type"] for o in cell["outputs"]] for cell in server.notebook(lab.name)["cells"]]
        wrong = {name: kept[i] for name, i in number.items() if kept[i] != (["stream"] if name.startswith("after") else ["error"])}
        c.expect("the saved notebook has each failure as one error", not wrong, wrong)

    server.new_notebook("three.ipynb", '%%\nfmt.Println("one")', '%%\npanic("two")', '%%\nfmt.Println("three")')
    with browser.lab("three.ipynb") as lab:
        lab.opens()
        lab.run_all()
        lab.await_idle(60)
        shown = [[text for _, text in lab.outputs(i)] for i in range(3)]
        c.expect("Run All runs the cell before the one that fails", shown[0] == ["one"], shown)
        c.expect("Run All shows the failure", len(shown[1]) == 1 and "two" in shown[1][0], shown)
        c.expect("Run All does not run the cell after it", not shown[2], shown)
        c.expect("the cell that was not run has no number", lab.prompts()[2] == "[ ]:", lab.prompts())
        lab.shot("three")


def typing(c, server, browser, args):
    server.new_notebook("typing.ipynb", "", '%%\nfmt.Println("documented")')
    with browser.lab("typing.ipynb") as lab:
        lab.opens()
        page = lab.page
        completer = page.locator(".jp-Completer:visible")
        offered = page.locator(".jp-Completer:visible .jp-Completer-match")

        def tab():
            """Presses Tab and returns what is offered within two seconds."""
            start = time.time()
            page.keyboard.press("Tab")
            while time.time() - start < 2:
                if completer.count() and offered.count():
                    return offered.all_inner_texts(), time.time() - start
                time.sleep(0.05)
            return [], 2

        def write():
            lab.cell(0).locator(".cm-content").click()
            page.keyboard.press("Control+a")
            page.keyboard.type("%%")
            page.keyboard.press("Enter")
            page.keyboard.type("fmt.Pri")

        write()
        first, took = tab()
        lab.shot("typing-first-tab")
        answered = any(t.startswith("Print") or "completion is not ready" in t for t in first)
        c.expect(f"Tab after fmt.Pri shows completions, or that there are none yet ({took:.1f} s)", answered, first)
        if any("press Tab again" in t for t in first):
            time.sleep(4)
            page.keyboard.press("Tab")
            time.sleep(2)
            lab.shot("typing-tab-again")
            text = lab.cell(0).locator(".cm-content").inner_text()
            c.expect("pressing Tab again, as it says, leaves the code as it is or completes it", re.fullmatch(r"%%\s+fmt\.Pri(nt)?", text), text)
            page.keyboard.press("Escape")
            write()
        start, words = time.time(), first
        while not any(t.startswith("Println") for t in words) and time.time() - start < 60:
            page.keyboard.press("Escape")
            time.sleep(2)
            if "jp-mod-editMode" not in (page.locator(".jp-Notebook").get_attribute("class") or ""):
                page.keyboard.press("Enter")  # the first Escape closes the popup, if there is one
            words, _ = tab()
        lab.shot("typing-tab")
        good = any(t.startswith("Println") for t in words)
        c.expect(f"Tab offers Println within 60 s ({time.time() - start:.0f} s)", good, words)
        if good:
            offered.filter(has_text=re.compile("^Println")).first.click()
            time.sleep(0.5)
            text = lab.cell(0).locator(".cm-content").inner_text()
            c.expect("choosing Println puts it in", text.split() == ["%%", "fmt.Println"], text)

        lab.cell(1).locator(".cm-line").nth(1).click(position={"x": 60, "y": 6})  # inside Println
        tooltip = page.locator(".jp-Tooltip:visible")
        start, told = time.time(), ""
        first = None
        while "formats using the default formats" not in told and time.time() - start < 60:
            page.keyboard.press("Shift+Tab")
            with contextlib.suppress(Error):
                tooltip.wait_for(timeout=4000)
                told = tooltip.inner_text()
            if first is None:
                first = told
                lab.shot("typing-first-shift-tab")
            if "formats using the default formats" not in told:
                page.keyboard.press("Escape")
                time.sleep(2)
                lab.cell(1).locator(".cm-line").nth(1).click(position={"x": 60, "y": 6})
        lab.shot("typing-shift-tab")
        c.expect("the first Shift+Tab on fmt.Println shows something", first, first)
        c.expect(f"Shift+Tab shows the documentation of fmt.Println within 60 s ({time.time() - start:.0f} s)", "formats using the default formats" in told, told)


class Browser:
    def __init__(self, checks, server, context, shots):
        self.checks, self.server, self.context, self.shots = checks, server, context, shots

    @contextlib.contextmanager
    def lab(self, name):
        lab = Lab(self.checks, self.server, self.context, self.shots, name)
        faults = []
        lab.page.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
        try:
            yield lab
        except Exception:
            with contextlib.suppress(Error):
                lab.shot(f"{lab.stem}-fault")
            raise
        finally:
            with open(os.path.join(self.shots, "console.txt"), "a") as log:
                log.writelines(f"{name}: {fault}\n" for fault in faults)
            lab.close()


PARTS = {"quickstart": quickstart, "own": own, "typing": typing, "teaching": teaching, "landscapes": landscapes}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True, help="of JupyterLab")
    parser.add_argument("--root", required=True, help="the folder that JupyterLab shows")
    parser.add_argument("--jupyter", required=True, help="the jupyter program")
    parser.add_argument("--chromium", required=True)
    parser.add_argument("--shots", required=True, help="the folder for screenshots")
    parser.add_argument("parts", nargs="*", help="of " + ", ".join(PARTS) + "; all if none is named")
    args = parser.parse_args()
    if unknown := [p for p in args.parts if p not in PARTS]:
        parser.error(f"there is no part {unknown[0]}: there are {', '.join(PARTS)}")
    open(os.path.join(args.shots, "console.txt"), "w").close()
    c, server = Checks(), Server(args.url, os.environ["JUPYTER_TOKEN"], args.root)
    with sync_playwright() as playwright:
        options = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium's sandbox does not work for root
        chromium = playwright.chromium.launch(executable_path=args.chromium, args=options)
        context = chromium.new_context(viewport={"width": 1280, "height": 1000})
        browser = Browser(c, server, context, args.shots)
        for name in args.parts or PARTS:
            with c.part(name):
                PARTS[name](c, server, browser, args)
        chromium.close()
    # JupyterLab is ended while a kernel runs, as people end it.
    server.ask("POST", "kernels", {"name": KERNEL["name"]})
    time.sleep(5)
    print(f"{c.met} expectations met, {len(c.failed)} not", flush=True)
    sys.exit(1 if c.failed else 0)


if __name__ == "__main__":
    main()
