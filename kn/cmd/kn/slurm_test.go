package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/cli"
	"github.com/knowledge-neurons/gonb-kn/kn/sweep"
)

// executable writes a shell script.
func executable(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte("#!/bin/bash\n"+text), 0o700); err != nil {
		t.Fatal(err)
	}
}

func contents(t *testing.T, elem ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(elem...))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return string(data)
}

// fakeSlurm is a folder with commands that note how they were called: sbatch
// gives out the numbers 41, 42 and so on, with a cluster's name.
func fakeSlurm(t *testing.T) (dir string, calls func() string) {
	dir = t.TempDir()
	log := shellWord(filepath.Join(dir, "calls"))
	executable(t, filepath.Join(dir, "sbatch"), `printf '[%s]' sbatch "$@" >> `+log+`; echo >> `+log+`
echo "$((40 + $(wc -l < `+log+`)));some-cluster"`)
	executable(t, filepath.Join(dir, "scontrol"), `printf '[%s]' scontrol "$@" >> `+log+`; echo >> `+log)
	return dir, func() string { return contents(t, dir, "calls") }
}

// withPath puts a folder first on a command's PATH, with more variables.
func withPath(cmd *exec.Cmd, dir string, more ...string) *exec.Cmd {
	cmd.Env = append(append(cmd.Environ(), "PATH="+dir+":"+os.Getenv("PATH")), more...)
	return cmd
}

// TestSlurm: what is submitted, run task by task, gives the bytes of one
// unsharded sweep, in a folder whose name a shell would take apart.
func TestSlurm(t *testing.T) {
	fake, calls := fakeSlurm(t)
	base, whole := t.TempDir(), t.TempDir()
	const name = "it's $HOME & a \"100%\""
	dir, data := filepath.Join(base, name), factsFile(t, base)
	flags := []string{"--model", small(t), "--facts", data, "--relations", "P36,P19", "--out"}
	submit := append(append([]string{"sweep"}, flags...), dir, "--slurm", "tasks=2,time=2:00:00,gpus=1,cpus=3,exclude=a,b")

	var shown, r slurmResult
	keys := []string{"facts", "prompts", "tasks", "sweep", "merge", "commands"}
	object(t, succeeds(t, append(submit, "--dry-run", "--json")...), &shown, keys...)
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) || calls() != "" {
		t.Errorf("a dry run leaves %v, calls %s", err, calls())
	}
	relative := command(t, append(submit, "--dry-run")...) // the paths do not depend on where it is called
	relative.Dir = base
	for i, arg := range relative.Args {
		relative.Args[i] = strings.TrimPrefix(arg, base+"/")
	}
	text := finished(t, relative).stdout
	for _, part := range append([]string{shown.Sweep.Text, shown.Merge.Text}, shown.Commands...) {
		if !strings.Contains(text, part) {
			t.Errorf("a dry run does not show %s", part)
		}
	}

	o := finished(t, withPath(command(t, append(submit, "--json")...), fake))
	if o.code != 0 || o.stderr != "" {
		t.Fatalf("exit status %d, %s", o.code, o.stderr)
	}
	object(t, o.stdout, &r, keys...)
	submitted := "[sbatch][--parsable][" + r.Sweep.Path + "]\n[sbatch][--parsable][--dependency=afterok:41][" + r.Merge.Path + "]\n"
	if calls() != submitted || r.Sweep.Job != "41" || r.Merge.Job != "42" || r.Tasks != 2 || r.Facts != 6 {
		t.Errorf("calls %s, want %s; result %+v", calls(), submitted, r)
	}
	if contents(t, r.Sweep.Path) != shown.Sweep.Text || contents(t, r.Merge.Path) != shown.Merge.Text {
		t.Error("what is submitted is not what the dry run showed")
	}
	// The commands shown do the same.
	commands := exec.Command("bash", "-c", "set -eu\n"+strings.Join(r.Commands, "\n"))
	if err := os.Remove(filepath.Join(fake, "calls")); err != nil {
		t.Fatal(err)
	}
	if o := finished(t, withPath(commands, fake)); o.code != 0 || calls() != submitted {
		t.Errorf("the commands shown: %+v, calls %s", o, calls())
	}

	for _, line := range []string{"--array=1-2", "--requeue", "--signal=B:USR1@60", "--open-mode=append", "--time=2:00:00", "--gpus=1", "--cpus-per-task=3", "--exclude=a,b"} {
		if !strings.Contains(r.Sweep.Text, "\n#SBATCH "+line+"\n") {
			t.Errorf("the array job lacks %s", line)
		}
		merges := !slices.Contains([]string{"--array=1-2", "--requeue", "--signal=B:USR1@60", "--gpus=1"}, line)
		if strings.Contains(r.Merge.Text, "\n#SBATCH "+line+"\n") != merges {
			t.Errorf("the merge job has %s: %v", line, !merges)
		}
	}
	for _, script := range []struct{ path, task string }{{r.Sweep.Path, "1"}, {r.Sweep.Path, "2"}, {r.Merge.Path, ""}} {
		if out, err := exec.Command("bash", "-n", script.path).CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("bash -n: %v, %s", err, out)
		}
		cmd := command(t)
		cmd.Path, cmd.Args, cmd.Dir = script.path, []string{script.path}, t.TempDir()
		if o := finished(t, withPath(cmd, fake, "SLURM_ARRAY_JOB_ID=41", "SLURM_ARRAY_TASK_ID="+script.task)); o.code != 0 || o.stderr != "" {
			t.Fatalf("%s, task %s: %+v", script.path, script.task, o)
		}
	}
	if calls() != submitted {
		t.Errorf("tasks that ended well called Slurm: %s", calls())
	}
	succeeds(t, append(append([]string{"sweep"}, flags...), whole)...)
	if got := contents(t, dir, sweep.RecordsFile); got == "" || got != contents(t, whole, sweep.RecordsFile) {
		t.Error("the merged tasks differ from one sweep")
	}
	// The file whose growth decides about requeuing is the one that is written.
	shard := exec.Command("bash", "-c", "SLURM_ARRAY_TASK_ID=2\n"+lineWith(r.Sweep.Text, "shard=")+"\ntest -e \"$shard\"")
	if o := finished(t, shard); o.code != 0 {
		t.Errorf("the script watches a file that is not there: %+v", o)
	}
	again := append(append([]string{"sweep"}, flags...), dir, "--slurm", "tasks=3")
	if o := finished(t, withPath(command(t, again...), fake)); o.code != 1 || !strings.Contains(o.stderr, "in 2 shards, not in 3") || calls() != submitted {
		t.Errorf("another number of tasks: %+v", o)
	}
}

// factsFile writes six facts that the small model can be asked about.
func factsFile(t *testing.T, dir string) string {
	t.Helper()
	var lines strings.Builder
	for i, answer := range []string{"Paris", "London", "Berlin", "Rome", "Madrid", "Vienna"} {
		fmt.Fprintf(&lines, `{"relation": "P%d", "answer": %q, "prompts": ["of the is [MASK].", "the the is [MASK]."]}`+"\n", 36-17*(i%2), answer)
	}
	path := filepath.Join(dir, "some facts.jsonl")
	if err := os.WriteFile(path, []byte(lines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// lineWith returns the first line of a text that begins so.
func lineWith(text, begin string) string {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, begin) {
			return line
		}
	}
	return ""
}

// TestSlurmRequeues runs a task's script with a kn that ends in all the ways
// there are.
func TestSlurmRequeues(t *testing.T) {
	const writes = "echo a record >> \"$shard\"\n"
	for name, c := range map[string]struct {
		kn       string
		signal   syscall.Signal // to the script, when kn is at work
		restarts string
		code     int
		requeued bool
	}{
		"ends well":                      {kn: "exit 0"},
		"fails":                          {kn: "exit 1", code: 1},
		"is interrupted":                 {kn: "exit 130", code: 130},
		"is killed":                      {kn: "kill -KILL $$", code: 137, requeued: true},
		"is killed, restarted twice":     {kn: "kill -KILL $$", restarts: "2", code: 137, requeued: true},
		"is killed, having done nothing": {kn: "kill -KILL $$", restarts: "3", code: 137},
		"is killed, having gone on":      {kn: writes + "kill -KILL $$", restarts: "30", code: 137, requeued: true},
		"comes to its limit":             {kn: writes + "trap 'exit 130' TERM\ntouch \"$working\"\nwhile true; do sleep 0.01; done", signal: syscall.SIGUSR1, code: 130, requeued: true},
		"is done at its limit":           {kn: "trap 'exit 0' TERM\ntouch \"$working\"\nwhile true; do sleep 0.01; done", signal: syscall.SIGUSR1},
		"comes to its limit in vain":     {kn: "trap 'exit 130' TERM\ntouch \"$working\"\nwhile true; do sleep 0.01; done", signal: syscall.SIGUSR1, restarts: "3", code: 130},
		"is cancelled":                   {kn: writes + "trap 'exit 130' TERM\ntouch \"$working\"\nwhile true; do sleep 0.01; done", signal: syscall.SIGTERM, code: 130},
		"is cancelled at once":           {kn: "touch \"$working\"\nexec sleep 60", signal: syscall.SIGTERM, code: 143},
	} {
		t.Run(name, func(t *testing.T) {
			fake, calls := fakeSlurm(t)
			dir := filepath.Join(t.TempDir(), "the sweep's")
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			kn, shard, working := filepath.Join(dir, "my kn"), filepath.Join(dir, "shard-2-of-4.jsonl"), filepath.Join(dir, "working")
			executable(t, kn, "shard="+shellWord(shard)+" working="+shellWord(working)+"\n"+`printf '[%s]' "$@" >> `+shellWord(filepath.Join(dir, "arguments"))+"\n"+c.kn)
			r, err := slurmSweep{slurmFlag: slurmFlag{tasks: 4}, program: kn, args: []string{"--facts", `a "b" $c`}, Dir: dir}.scripts()
			if err != nil {
				t.Fatal(err)
			}
			for path, text := range map[string]string{shard: "what was there before\n", r.Sweep.Path: r.Sweep.Text} {
				if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			script := withPath(exec.Command(r.Sweep.Path), fake, "SLURM_ARRAY_JOB_ID=7", "SLURM_ARRAY_TASK_ID=2", "SLURM_RESTART_COUNT="+c.restarts)
			if c.signal != 0 {
				go func() {
					for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
						if _, err := os.Stat(working); err == nil {
							_ = script.Process.Signal(c.signal) // if it has ended, its status tells
							return
						}
					}
				}()
			}
			o := finished(t, script)
			want := ""
			if c.requeued {
				want = "[scontrol][requeue][7_2]\n"
			}
			if o.code != c.code || calls() != want {
				t.Errorf("exit status %d, want %d; calls %q, want %q; %s", o.code, c.code, calls(), want, o.stderr)
			}
			if got := contents(t, dir, "arguments"); got != `[sweep][--facts][a "b" $c][--shard][2/4]` {
				t.Errorf("arguments %s", got)
			}
		})
	}
}

// TestSlurmFails: without Slurm, or when it says no, what it says is said.
func TestSlurmFails(t *testing.T) {
	data := factsFile(t, t.TempDir())
	submit := func(path string) outcome {
		cmd := command(t, "sweep", "--model", small(t), "--facts", data, "--out", t.TempDir(), "--slurm", "tasks=2")
		cmd.Env = append(cmd.Env, "PATH="+path)
		return finished(t, cmd)
	}
	fails := func(script, want string) {
		t.Helper()
		fake := t.TempDir()
		if script != "" {
			executable(t, filepath.Join(fake, "sbatch"), script)
		}
		if o := submit(fake); o.code != cli.ExitFailure || o.stdout != "" || !isOneLine(o.stderr) || !strings.Contains(o.stderr, want) {
			t.Errorf("%s: %+v, want %q", script, o, want)
		}
	}
	fails("", "--dry-run")
	fails("echo no partition for you >&2; exit 1", "no partition for you")
	fails("exit 0", "no job number")
	fails(`if [ "$#" = 3 ]; then echo no merging >&2; exit 1; fi; echo 7`, "scancel 7")

	for path, temporary := range map[string]bool{
		"/tmp/go-build1234300824/b001/exe/kn": true,
		"/root/.cache/go-build/b1/b1089ebe82372dcf2950915712e80a1517be9324998de5c37e0772a55065cb4d-d/kn": true,
		"/cache/b1/b1089ebe82372dcf2950915712e80a1517be9324998de5c37e0772a55065cb4d-d/kn":                true,
		"/usr/local/bin/kn":         false,
		"/home/me/gonb-kn/build/kn": false,
		"/home/me/b1/deadbeef-d/kn": false,
		"/home/me/go/bin/go-kn":     false,
		"/home/me/my go-build/kn":   false,
	} {
		if runByGo(path) != temporary {
			t.Errorf("%s: temporary %v", path, !temporary)
		}
	}
}

// TestProjectionInLogs: a log tells how long a long sweep takes, before it has
// ended; of short ones it tells nothing.
func TestProjectionInLogs(t *testing.T) {
	var stderr strings.Builder
	a := &app{stderr: &stderr}
	a.projected(sweep.Projection{Prompts: 100, PromptsPerSecond: 2, MachineHours: 0.014})
	if stderr.String() != "" {
		t.Errorf("of a short sweep: %s", &stderr)
	}
	a.projected(sweep.Projection{Prompts: 7200, Left: 3600, PromptsPerSecond: 2, MachineHours: 1, HoursLeft: 0.5})
	if want := "2 prompts a second: 1 machine-hours for all 7200 prompts, 0.5 hours for the 3600 that are left here\n"; stderr.String() != want {
		t.Errorf("of a long sweep: %q, want %q", &stderr, want)
	}
}
