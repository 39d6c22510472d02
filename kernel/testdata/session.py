"""Drives a kernel through jupyter_client. Reads one JSON object a line:
{"code": ..., "interrupt_on": text?, "complete": position?, "inspect": position?}
and answers each with one: outputs, status, seconds, stopped_after, matches, text."""
import json, sys, threading, time
from jupyter_client.manager import start_new_kernel

manager, client = start_new_kernel(kernel_name=sys.argv[1], startup_timeout=120)


def run(code, interrupt_on=None, timeout=300):
    """Runs a cell; interrupts it once it has printed interrupt_on."""
    outputs, start, interrupted = [], time.time(), []

    def interrupt():
        interrupted.append(time.time())
        manager.interrupt_kernel()

    def output(m):
        content = m["content"]
        outputs.append({"type": m["msg_type"], **{k: v for k, v in content.items() if k in ("name", "text", "data", "ename", "evalue", "traceback")}})
        if interrupt_on and not interrupted and interrupt_on in content.get("text", ""):
            threading.Timer(0.1, interrupt).start()

    reply = client.execute_interactive(code, timeout=timeout, allow_stdin=False, output_hook=output)
    answer = {"outputs": outputs, "status": reply["content"]["status"], "seconds": time.time() - start}
    if interrupted:
        answer["stopped_after"] = time.time() - interrupted[0]
    return answer


for line in sys.stdin:
    ask = json.loads(line)
    if "complete" in ask:
        content = client.complete(ask["code"], ask["complete"], reply=True, timeout=60)["content"]
        answer = {"matches": content.get("matches", [])}
    elif "inspect" in ask:
        content = client.inspect(ask["code"], ask["inspect"], reply=True, timeout=60)["content"]
        answer = {"text": json.dumps(content.get("data", {}))}
    else:
        answer = run(ask["code"], ask.get("interrupt_on"))
    print(json.dumps(answer), flush=True)
client.stop_channels()
manager.shutdown_kernel(now=False)
