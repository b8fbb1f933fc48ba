"""A company as a policy document (JSON): company.py PEOPLE GRANTS-EACH RESOURCES [DEVICES-EACH]

Deterministic. Each person has devices of their own and grants of their own to so many resources,
different ones for everybody; each resource is a /24 and a /64 with HTTPS.
"""

import base64
import hashlib
import json
import sys


def tunnel_addresses(number):
    number += 2
    return [f"10.64.{number >> 8}.{number & 255}" if number < 65536 else f"10.65.{(number >> 8) & 255}.{number & 255}",
            f"fd66::{number:x}"]


def resource(number):
    return {"name": f"Resource {number}", "classification": "internal",
            "prefixes": [f"172.{16 + (number >> 8)}.{number & 255}.0/24", f"2001:db8:{number:x}::/64"],
            "services": ["https"]}


def key(text):
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def company(people, grants_each, resources, devices_each=1):
    policy = {"person": {}, "device": {}, "grant": {},
              "resource": {f"r{i}": resource(i) for i in range(resources)}}
    for i in range(people):
        person = f"p{i}"
        policy["person"][person] = {"name": f"Person {i}"}
        for j in range(devices_each):
            device = f"d{i}-{j}"
            policy["device"][device] = {"person": person, "public_key": key(device),
                                        "addresses": tunnel_addresses(i * devices_each + j)}
        for j in range(grants_each):
            policy["grant"][f"g{i}-{j}"] = {"who": f"person:{person}", "resource": f"r{(i * 7 + j * 131) % resources}",
                                            "reason": "work"}
    return policy


if __name__ == "__main__":
    json.dump(company(*map(int, sys.argv[1:])), sys.stdout)
