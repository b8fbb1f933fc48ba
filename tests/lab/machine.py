"""What the lab could leave behind on the machine it runs on."""

import os
import pathlib
import subprocess

LAB = pathlib.Path("/run/sekisho-lab")
PLACES = ["/run", "/etc", "/usr/local/sbin", "/var/lib/nginx", "/var/log/nginx", "/root/.ssh"]


def mounts():
    with open("/proc/self/mountinfo") as table:
        return {line.split()[4] for line in table}


def files():
    """Names only: other programs of the machine may write to their files meanwhile."""
    found = set()
    for place in PLACES:
        for folder, names, file_names in os.walk(place):
            if folder.startswith(("/run/user", "/run/lock", "/run/systemd")):
                continue
            found.update(os.path.join(folder, name) for name in names + file_names)
    return found


def rules():
    """Rules, routes and links of the machine's own network namespace."""
    commands = [["nft", "list", "ruleset"], ["ip", "rule"], ["ip", "-6", "rule"],
                ["ip", "-o", "route", "show", "table", "all"], ["ip", "-br", "link"], ["ip", "netns"]]
    return {" ".join(command): subprocess.check_output(command, text=True) for command in commands}


def snapshot():
    return {"mounts": mounts(), "files": files(), "rules": rules()}


def network_of(process):
    try:
        return os.readlink(f"/proc/{process}/ns/net")
    except OSError:
        return None


def processes_in(networks):
    """The processes of these network namespaces, named as readlink of /proc/PID/ns/net names them."""
    return [int(name) for name in os.listdir("/proc")
            if name.isdigit() and network_of(name) in networks]


def networks_of_lab():
    return {f"net:[{(LAB / 'hosts' / host / 'net').stat().st_ino}]"
            for host in os.listdir(LAB / "hosts")}
