# SPDX-License-Identifier: GPL-2.0-or-later
# Drives the web page in Chromium, through chromedriver (Debian's, no package registry needed).
# web-drive.py DRIVER-URL PAGE TOKEN MACHINE FOLDER : signs in, suspends and resumes MACHINE by
# clicking, edits a profile, looks at the page by keyboard and on a phone; pictures go to FOLDER.
import base64, json, sys, time, urllib.request

driver, page, token, machine, folder = sys.argv[1:6]
LIMIT = 90
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


def call(method, path, body=None):
    request = urllib.request.Request(driver + path, method=method,
                                     data=None if body is None else json.dumps(body).encode(),
                                     headers={"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=120) as reply:
            return json.load(reply)["value"]
    except urllib.error.HTTPError as error:
        raise RuntimeError(json.load(error)["value"]["message"]) from None


class Browser:
    def __init__(self, scheme="light", size=(1280, 900)):
        arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                     "--disable-background-networking", "--no-first-run", "--hide-scrollbars",
                     f"--window-size={size[0]},{size[1]}"]
        if scheme == "dark":
            arguments.append("--force-dark-mode")
        options = {"acceptInsecureCerts": True, "goog:chromeOptions": {"args": arguments},
                   "goog:loggingPrefs": {"browser": "ALL"}}
        value = call("POST", "/session", {"capabilities": {"alwaysMatch": options}})
        self.path = "/session/" + value["sessionId"]
        self.cdp("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})

    def end(self):
        call("DELETE", self.path)

    def cdp(self, name, parameters):
        return call("POST", self.path + "/goog/cdp/execute", {"cmd": name, "params": parameters})

    def go(self, url):
        call("POST", self.path + "/url", {"url": url})

    def run(self, script, *arguments):
        return call("POST", self.path + "/execute/sync", {"script": script, "args": list(arguments)})

    def wait(self, what, script, *arguments):
        end = time.monotonic() + LIMIT
        while time.monotonic() < end:
            value = self.run(script, *arguments)
            if value:
                return value
            time.sleep(0.1)
        self.picture("failed")
        raise SystemExit(f"FAIL: {what}: " + self.run("return document.body.innerText")[:2000])

    def element(self, css):
        self.wait(css, "return document.querySelector(arguments[0]) !== null", css)
        return call("POST", self.path + "/element", {"using": "css selector", "value": css})[ELEMENT]

    def click(self, css):
        call("POST", f"{self.path}/element/{self.element(css)}/click", {})

    def type(self, css, text):
        call("POST", f"{self.path}/element/{self.element(css)}/value", {"text": text})

    def keys(self, *keys):
        actions = [a for key in keys for a in ({"type": "keyDown", "value": key}, {"type": "keyUp", "value": key})]
        call("POST", self.path + "/actions", {"actions": [{"type": "key", "id": "k", "actions": actions}]})

    def state(self):
        return self.run("return document.querySelector('.bar .state')?.textContent ?? ''")

    def picture(self, name):
        with open(f"{folder}/{name}.png", "wb") as f:
            f.write(base64.b64decode(call("GET", self.path + "/screenshot")))

    def complaints(self):
        # A 404 is an answer: no forecast is kept yet.
        return [e["message"] for e in call("POST", self.path + "/se/log", {"type": "browser"})
                if e["level"] == "SEVERE" and "status of 40" not in e["message"]]

    def sign_in(self):
        self.go(page)
        self.type("dialog input[name=token]", token)
        self.click("dialog button.primary")
        self.wait("the list", "return document.querySelectorAll('tbody tr').length > 0")


def text_is(browser, what, text):
    browser.wait(what, "return document.body.innerText.includes(arguments[0])", text)


def suspend_and_resume(b):
    b.click(f"tr a.name[href='#/vm/{machine}']")
    b.wait("the machine's page", "return document.querySelector('[data-action=suspend]:not(:disabled)') !== null")
    b.wait("a chart", "return document.querySelector('.chart canvas') !== null")
    b.wait("what is foretold", "return !document.body.innerText.includes('Loading')")
    b.wait("what was foretold", "return document.getElementById('judged').textContent.startsWith('Of what came')")
    b.wait("where its disk changes", "return [...document.querySelectorAll('canvas.heat')].some((c) => c.width > 0 && "
           "c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some((v) => v > 0))")
    b.picture("2-machine")
    b.run("document.querySelector('canvas.heat').scrollIntoView({block: 'center'})")
    b.picture("2-machine-disks")
    b.run("scrollTo(0, 0)")
    b.click("[data-action=suspend]")
    b.wait("a job", "return document.querySelector('[data-job]') !== null")
    b.picture("3-suspending")
    b.wait("it is suspended", "return document.querySelector('.bar .state').textContent === 'suspended'")
    b.wait("resume can be clicked", "return document.querySelector('[data-action=resume]:not(:disabled)') !== null")
    b.picture("4-suspended")
    b.click("[data-action=resume]")
    b.wait("it runs", "return document.querySelector('.bar .state').textContent === 'running'")
    b.wait("the timeline", "return document.querySelector('.timeline li[data-kind=suspend]') !== null")
    b.wait("how the resume went", "return document.body.innerText.includes('the guest ran after')")
    b.picture("5-resumed")


def edit_profile(b):
    b.go(page + "/#/profiles")
    b.wait("the list of profiles", "const b = [...document.querySelectorAll('button')].find((x) => x.textContent === 'New profile');"
           "b?.click(); return Boolean(b)")
    b.wait("a dialog", "return document.querySelector('dialog[open] input[name=name]') !== null")
    b.type("dialog input[name=name]", "weekend")
    b.click("dialog button.primary")
    b.element("#text")
    b.type("#text", "[disk]\nbase=nonsense\n")
    b.wait("what is wrong", "return document.querySelector('#problems li') !== null")
    assert b.run("return document.querySelector('button.primary').disabled"), "it can be saved"
    b.picture("6-profile-wrong")
    b.click("#problems button")
    b.type("#text", "base=raw")
    b.wait("it is sound", "return document.querySelectorAll('#problems li').length === 0 && !document.querySelector('.editor button.primary').disabled")
    b.run("const s = document.querySelector('.editor select'); s.value = arguments[0]; s.dispatchEvent(new Event('change'))", machine)
    b.wait("the plan", "return document.querySelector('.editor table tbody tr') !== null")
    b.picture("7-profile")
    b.click(".editor button.primary")
    text_is(b, "it is saved", "weekend is saved")


def main():
    b = Browser()
    b.sign_in()
    b.wait("the events", "return document.getElementById('live').dataset.state === 'on'")
    paint = b.run("return performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0")
    size = b.run("return performance.getEntriesByType('resource').reduce((s, e) => s + e.encodedBodySize, 0)")
    b.picture("1-machines")
    suspend_and_resume(b)
    size = max(size, b.run("return performance.getEntriesByType('resource').filter((e) => !e.name.includes('/v1/'))"
                           ".reduce((s, e) => s + e.encodedBodySize, 0)"))
    edit_profile(b)
    b.go(page + "/#/repository")
    text_is(b, "the repository", "Growth per day")
    b.picture("8-repository")
    b.go(page + "/#/plan")
    b.wait("the plan of a day", "return document.querySelectorAll('table.plan tbody tr').length >= 24")
    text_is(b, "a reason", "calendar: *:00")
    b.picture("10-plan")
    b.go(page + "/#/jobs")
    text_is(b, "the jobs", "suspend")
    b.picture("9-jobs")
    # By keyboard: the first stop is the link to the content, the next lead to the pages.
    b.go("about:blank")
    b.go(page + "/#/")
    text_is(b, "the list again", "Own bytes")
    b.keys("\ue004")
    assert "Skip" in b.run("return document.activeElement.textContent"), "Tab does not begin at the skip link"
    complaints = b.complaints()
    b.end()
    if complaints:
        raise SystemExit(f"FAIL: the browser complains: {complaints}")

    b = Browser("dark", (400, 860))
    b.cdp("Emulation.setDeviceMetricsOverride", {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True})
    b.sign_in()
    b.picture("20-phone-machines")
    b.go(page + "/#/vm/" + machine)
    b.element(".timeline li")
    b.wait("all of it", "return !document.body.innerText.includes('Loading')")
    wide = b.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth")
    b.picture("21-phone-machine")
    b.end()
    if wide > 1:
        raise SystemExit(f"FAIL: on a phone the page is {wide} px too wide")
    if size > 300 * 1024:
        raise SystemExit(f"FAIL: the page is {size} bytes")
    print(f"first paint {paint:.0f} ms, {size} bytes")


main()
