"""Drives a kernel through jupyter_client. Reads one JSON object a line:
{"code": ..., "interrupt_after": seconds?, "complete": position?, "inspect": position?}
and answers each with one: outputs, status, seconds, matches, text."""
import json, sys, threading, time
from jupyter_client.manager import start_new_kernel

manager, client = start_new_kernel(kernel_name=sys.argv[1], startup_timeout=120)


def run(code, interrupt_after=None, timeout=300):
    outputs, start = [], time.time()
    if interrupt_after:
        threading.Timer(interrupt_after, manager.interrupt_kernel).start()
    reply = client.execute_interactive(code, timeout=timeout, allow_stdin=False, output_hook=lambda m: outputs.append(
        {"type": m["msg_type"], **{k: v for k, v in m["content"].items() if k in ("name", "text", "data", "ename", "evalue", "traceback")}}))
    return {"outputs": outputs, "status": reply["content"]["status"], "seconds": time.time() - start}


for line in sys.stdin:
    ask = json.loads(line)
    if "complete" in ask:
        content = client.complete(ask["code"], ask["complete"], reply=True, timeout=60)["content"]
        answer = {"matches": content.get("matches", [])}
    elif "inspect" in ask:
        content = client.inspect(ask["code"], ask["inspect"], reply=True, timeout=60)["content"]
        answer = {"text": json.dumps(content.get("data", {}))}
    else:
        answer = run(ask["code"], ask.get("interrupt_after"))
    print(json.dumps(answer), flush=True)
client.stop_channels()
manager.shutdown_kernel(now=False)
