"""A gateway between devices and servers, all in namespaces, with the rules that the daemon loaded.

What came out of wireguard-go comes from a veth of the same name here: the daemon loads a policy over
a real tunnel and is killed (its policy stays), and the veth takes the tunnel's place with the
addresses, routes and settings that the daemon had given it.
"""

import glob
import json
import os
import pathlib
import subprocess

from daemon import Gateway, Host, run

POOL, GATEWAY_OUTSIDE, SERVER = "10.64.0.0/14", "198.51.100.1", "198.51.100.2"
GATEWAY_MAC, NOBODY_MAC = "02:00:00:00:00:01", "02:00:00:00:00:99"


class Crossing:
    """`devices` (tun), `gateway` (wg0, wan) and `servers` (eth0). What goes to the resources and to
    the pool ends at the far interface, with a hardware address that is nobody's, except for the
    bulk server and its client."""

    def __init__(self, folder, programs, policy, resources, pairs):
        self.gateway = Host()
        with self.gateway:
            self.devices, self.servers = Host(), Host()
            daemon = Gateway(folder, programs)
            daemon.ask("policy.apply", reason="bench", syntax="json", document=json.dumps(policy))
            daemon.kill()
            self._connect_servers(resources)
            self._replace_tunnel(daemon)
        self.packets = Packets(self, programs, folder, pairs)

    def _connect_servers(self, resources):
        self.servers.connect("wan", "eth0", [f"{GATEWAY_OUTSIDE}/24"], [f"{SERVER}/24"])
        run(f"ip link set wan address {GATEWAY_MAC}")
        run(f"ip neigh replace 198.51.100.99 lladdr {NOBODY_MAC} dev wan nud permanent")
        run(f"ip route add {resources} via 198.51.100.99")

    def _replace_tunnel(self, daemon):
        settings = {name: pathlib.Path(name).read_text() for name in glob.glob("/proc/sys/net/ipv4/conf/wg0/*")}
        address = json.loads(run("ip -4 -j address show dev wg0"))[0]["addr_info"][0]["local"]
        daemon.tunnel.terminate()
        daemon.tunnel.wait()
        self.devices.connect("wg0", "tun", [f"{address}/32"], [])
        run(f"ip link set wg0 address {GATEWAY_MAC} mtu 1420")
        run(f"ip neigh replace 192.0.2.99 lladdr {NOBODY_MAC} dev wg0 nud permanent")
        run(f"ip route add {POOL} via 192.0.2.99 dev wg0 onlink proto 94")
        for name, value in settings.items():
            if pathlib.Path(name).read_text() != value:
                pathlib.Path(name).write_text(value)

    def connect_bulk(self, client, server):
        """These two addresses get programs that answer."""
        with self.gateway:
            run(f"ip route add {server} via {SERVER} && ip route add {client} dev wg0")
        with self.servers:
            run(f"ip address add {server}/32 dev eth0")
        with self.devices:
            run(f"ip address add {client}/32 dev tun && ip link set tun mtu 1420")
            run(f"ip route add {server} dev tun src {client}")
            run(f"ip neigh replace {server} lladdr {GATEWAY_MAC} dev tun nud permanent")

    def nft(self, text):
        with self.gateway:
            subprocess.run(["nft", "-f", "-"], input=text, text=True, check=True)

    def ruleset(self, options=""):
        with self.gateway:
            return run(f"nft {options} list ruleset")

    def forget_flows(self):
        with self.gateway:
            run("conntrack -F")


class Packets:
    """bench_packets, which stands on both sides of one crossing."""

    def __init__(self, crossing, programs, folder, pairs):
        file = folder / "pairs"
        file.write_text("".join(f"{device} {network}\n" for device, network in pairs))
        spaces = [f"/proc/{os.getpid()}/fd/{host.space}" for host in (crossing.devices, crossing.servers)]
        self.process = subprocess.Popen([programs / "bench_packets", *spaces, file], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def ask(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"bench_packets ended at: {command}")
        return json.loads(answer)
