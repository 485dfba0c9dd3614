# SPDX-License-Identifier: Apache-2.0
"""PlatformIO and Otapult: the version is what `git describe` says, and an upload is done when the robot is.

    extra_scripts = pre:port/platformio/otapult.py
    upload_protocol = custom
    upload_port = robot.local:8080

The upload step ends well when the robot runs the new firmware and has confirmed it; it fails when the robot
refused it, went back to the old one, or did not return. It is done by `otapult push` where that command is
there, and by curl otherwise, which speaks plain HTTP only: the secure profile needs the command.

The version reaches the firmware as PROJECT_VER with framework = espidf; with framework = arduino as the macro
OTAPULT_VERSION, for OTAPULT_FIRMWARE("my-robot", OTAPULT_VERSION)."""

import json
import shutil
import subprocess
import time

Import("env")  # noqa: F821, PlatformIO's

VERSION_MAX = 31  # bytes that an app description has for it
PATIENCE_S = 180  # for restart, trial and confirmation
BAD_ENDS = ("rejected", "crashed", "gave_up", "not_loaded", "crash_loop")


# ---- the version ----

def git_version(folder):
    """What git calls the checkout in this folder; "" where it is none."""
    try:
        words = subprocess.run(["git", "describe", "--tags", "--always", "--dirty"], cwd=folder,
                               capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return words.stdout.strip()[:VERSION_MAX]


def tell_version(env):
    version = git_version(env.subst("$PROJECT_DIR"))
    if not version:
        print("otapult: no git here, so the version stays as it is")
        return
    env.Append(CPPDEFINES=[("OTAPULT_VERSION", env.StringifyMacro(version))])
    board = env.BoardConfig()
    given = board.get("build.cmake_extra_args", "")
    board.update("build.cmake_extra_args", (given + " -DPROJECT_VER=" + version).strip())
    print("otapult: version " + version)


# ---- by curl ----

def curl(*args):
    """The JSON of the answer, of a refusal too; None where nobody answered or it is something else."""
    done = subprocess.run(["curl", "--silent", "--max-time", "300", *args], capture_output=True, text=True)
    try:
        return json.loads(done.stdout)
    except ValueError:
        return None


def say_refusal(answer):
    if answer is None:
        print("otapult: the robot does not answer")
    else:
        words = [answer.get(key) for key in ("error", "code", "detail", "hint")]
        print("otapult: refused: " + "; ".join(word for word in words if word))
    return 1


def runs(status, sent):
    """Is it the firmware that was sent that runs, and to stay?"""
    running = [slot for slot in status["slots"] if slot["running"]]
    image = running[0].get("image") if running else None
    return bool(image) and image["build"] == sent["build"] and not status["pending"] and status["state"] == "idle"


def went_back(status, sent):
    """The journal's entry that says so; None where there is none."""
    last = status.get("last")
    return last if last and last.get("build") == sent["build"] and last["event"] in BAD_ENDS else None


def wait_until_confirmed(base, sent):
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        status = curl("--max-time", "5", base + "/api/ota/status")
        if status and "slots" in status:
            if runs(status, sent):
                print("otapult: confirmed %s (%s)" % (sent["version"], sent["build"]))
                return 0
            entry = went_back(status, sent)
            if entry:
                print("otapult: it went back: %s: %s" % (entry["event"], entry.get("text") or "no reason is known"))
                return 1
        time.sleep(0.5)
    print("otapult: not confirmed within %d s: look at the robot" % PATIENCE_S)
    return 1


def send_by_curl(firmware, robot):
    if robot.startswith("https:"):
        print("otapult: the secure profile needs the command: make install, in Otapult's repository")
        return 1
    base = robot.rstrip("/") if robot.startswith("http:") else "http://" + robot.rstrip("/")
    sent = curl("--form", "firmware=@" + firmware, base + "/api/ota/upload")
    if not sent or not sent.get("success"):
        return say_refusal(sent)
    print("otapult: " + sent["message"])
    return wait_until_confirmed(base, sent)


# ---- the upload step ----

def upload(source, target, env):
    firmware, robot = str(source[0]), env.subst("$UPLOAD_PORT")
    if not robot:
        print("otapult: upload_port says which robot: an address or a name, with :port")
        return 1
    command = shutil.which("otapult")
    if command:
        return subprocess.call([command, "push", firmware, robot])
    return send_by_curl(firmware, robot)


tell_version(env)  # noqa: F821
env.Replace(UPLOADCMD=upload)  # noqa: F821
