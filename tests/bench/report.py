"""What every bench prints: name, rows, goals."""

import json
import statistics


def goal(name, op, limit, value):
    return {"goal": name, "op": op, "limit": limit, "value": round(value, 3),
            "met": value <= limit if op == "<=" else value >= limit}


def median_goal(rows, name, op, limit, values):
    """The goal on the median of what the pairs gave; how far they lie apart becomes a row."""
    rows.append({"spread": name, "least": round(min(values), 3), "most": round(max(values), 3)})
    return goal(name, op, limit, statistics.median(values))


def tell(name, rows, goals):
    print(json.dumps({"name": name, "rows": rows, "goals": goals}))
