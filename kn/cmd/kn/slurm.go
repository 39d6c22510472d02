package main

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"text/template"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"

	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/cli"
	"github.com/knowledge-neurons/gonb-kn/kn/mini"
	"github.com/knowledge-neurons/gonb-kn/kn/sweep"
)

//go:embed slurm
var slurmFiles embed.FS

var slurmTemplates = template.Must(template.New("").Funcs(template.FuncMap{"word": shellWord}).ParseFS(slurmFiles, "slurm/*.sbatch"))

// slurmSweep is a sweep as an array job with a merge job behind it.
type slurmSweep struct {
	slurmFlag
	program string   // kn, as an absolute path
	args    []string // that sweep and merge have in common
	Dir     string   // of the sweep, as an absolute path
}

// FruitlessRestarts is how often a task is started again without its writing
// anything.
func (slurmSweep) FruitlessRestarts() int { return 3 }

// Tasks of the array.
func (s slurmSweep) Tasks() int { return s.tasks }

// Command is a command line of the program, for a shell.
func (s slurmSweep) Command(name string) string {
	return shellWords(append([]string{s.program, name}, s.args...)...)
}

// Sweep returns the array job's options of sbatch.
func (s slurmSweep) Sweep() []string {
	return s.directives(s.options, "task-%a.log", sbatchOption{"job-name", "kn-sweep"},
		sbatchOption{"array", fmt.Sprintf("1-%d", s.tasks)}, sbatchOption{"requeue", ""}, sbatchOption{"signal", "B:USR1@60"})
}

// Merge returns the merge job's.
func (s slurmSweep) Merge() []string {
	var options []sbatchOption
	for _, o := range s.options {
		if !o.forGPUs() {
			options = append(options, o)
		}
	}
	return s.directives(options, "merge.log", sbatchOption{"job-name", "kn-merge"}, sbatchOption{"kill-on-invalid-dep", "yes"})
}

// directives puts the user's options last, where they win.
func (s slurmSweep) directives(users []sbatchOption, log string, own ...sbatchOption) []string {
	path := filepath.Join(strings.ReplaceAll(s.Dir, "%", "%%"), log)
	own = append(own, sbatchOption{"output", path}, sbatchOption{"open-mode", "append"})
	var lines []string
	for _, o := range append(own, users...) {
		lines = append(lines, o.directive())
	}
	return lines
}

// slurmResult is what --json prints.
type slurmResult struct {
	Facts    int         `json:"facts"`
	Prompts  int         `json:"prompts"`
	Tasks    int         `json:"tasks"`
	Sweep    slurmScript `json:"sweep"`
	Merge    slurmScript `json:"merge"`
	Commands []string    `json:"commands"` // that submit them, for a shell
}

// slurmScript is a script; Job is "" in a dry run.
type slurmScript struct {
	Path string `json:"path"`
	Text string `json:"text"`
	Job  string `json:"job,omitempty"`
}

// scripts writes out what is to be submitted.
func (s slurmSweep) scripts() (*slurmResult, error) {
	r := &slurmResult{Tasks: s.tasks}
	for name, script := range map[string]*slurmScript{"sweep.sbatch": &r.Sweep, "merge.sbatch": &r.Merge} {
		var text bytes.Buffer
		if err := slurmTemplates.ExecuteTemplate(&text, name, s); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		script.Path, script.Text = filepath.Join(s.Dir, name), text.String()
	}
	r.Commands = []string{
		"array=$(sbatch --parsable " + shellWord(r.Sweep.Path) + ")",
		`sbatch --parsable --dependency="afterok:${array%%;*}" ` + shellWord(r.Merge.Path),
	}
	return r, nil
}

// submit writes the scripts and hands them to Slurm.
func (r *slurmResult) submit(ctx context.Context) error {
	if _, err := exec.LookPath("sbatch"); err != nil {
		return fmt.Errorf("%w; run this where Slurm's commands are, or look at the scripts with --dry-run", err)
	}
	for _, s := range []slurmScript{r.Sweep, r.Merge} {
		err := os.MkdirAll(filepath.Dir(s.Path), 0o755)
		if err == nil {
			err = renameio.WriteFile(s.Path, []byte(s.Text), 0o755)
		}
		if err != nil {
			return err
		}
	}
	var err error
	if r.Sweep.Job, err = sbatch(ctx, r.Sweep.Path); err != nil {
		return err
	}
	if r.Merge.Job, err = sbatch(ctx, "--dependency=afterok:"+r.Sweep.Job, r.Merge.Path); err != nil {
		return fmt.Errorf("the array job %s was submitted, but not the merge after it: %w; cancel it with scancel %s, or run kn merge when it has ended", r.Sweep.Job, err, r.Sweep.Job)
	}
	return nil
}

// sbatch submits a job and returns its number.
func sbatch(ctx context.Context, args ...string) (job string, err error) {
	cmd := exec.CommandContext(ctx, "sbatch", append([]string{"--parsable"}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), err, bytes.TrimSpace(stderr.Bytes()))
	}
	job, _, _ = strings.Cut(strings.TrimSpace(string(out)), ";") // the cluster's name may follow
	if job == "" {
		return "", fmt.Errorf("%s printed no job number", strings.Join(cmd.Args, " "))
	}
	return job, nil
}

// slurm submits the sweep that the flags describe, or shows how.
func (a *app) slurm(cmd *cobra.Command, f *sweepFlags, options slurmFlag, dry bool) error {
	s := slurmSweep{slurmFlag: options}
	var err error
	if s.program, err = installed(); err != nil {
		return err
	}
	if s.args, err = f.absolute(a, cmd); err != nil {
		return err
	}
	s.Dir = f.out
	if strings.ContainsFunc(s.Dir, func(r rune) bool { return isControl(r) || r == '\\' }) {
		return fmt.Errorf("the folder %q: logs of Slurm cannot be there; choose one without backslashes and control characters", s.Dir)
	}
	m, source, err := f.open(a, cmd)
	if err != nil {
		return err
	}
	f.options.Shard, f.options.Shards = 1, s.tasks
	summary, err := sweep.Check(cmd.Context(), m, source, f.out, f.options)
	if err != nil {
		return err
	}
	r, err := s.scripts()
	if err != nil {
		return err
	}
	r.Facts, r.Prompts = summary.Facts, summary.Prompts
	if !dry {
		if err := r.submit(cmd.Context()); err != nil {
			return err
		}
	}
	return a.print(r, func(w *bytes.Buffer) { writeSlurm(w, a.out, f.out, r) })
}

// absolute makes the flags' paths absolute, and returns the flags that were
// given and determine the records as words of a command line.
func (f *sweepFlags) absolute(a *app, cmd *cobra.Command) ([]string, error) {
	paths := []*string{&f.out}
	if f.facts != "" {
		paths = append(paths, &f.facts)
	}
	if info, err := os.Stat(a.model); err == nil && info.IsDir() && a.model != mini.Name {
		paths = append(paths, &a.model)
	}
	for _, path := range paths {
		full, err := filepath.Abs(*path)
		if err != nil {
			return nil, err
		}
		*path = full
	}
	return givenFlags(cmd, "json", "no-cache", "slurm", "dry-run"), nil
}

// cachedRun is where the go command keeps what "go run" built.
var cachedRun = regexp.MustCompile(`/[0-9a-f]{2}/[0-9a-f]{64}-d/`)

// installed returns the absolute path of this program, which tasks start later
// and elsewhere.
func installed() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("where this program is: %w", err)
	}
	if runByGo(path) {
		return "", errors.New(`"go run" keeps its program in a temporary place, where no task would find it; build kn where all machines see it, with go build -o kn ./kn/cmd/kn, and run that, or the kn that go run ./install installed`)
	}
	return path, nil
}

func runByGo(path string) bool {
	path = filepath.ToSlash(path)
	return strings.Contains(path, "/go-build") || cachedRun.MatchString(path)
}

func writeSlurm(w *bytes.Buffer, s cli.Style, dir string, r *slurmResult) {
	if r.Sweep.Job == "" {
		for _, script := range []slurmScript{r.Sweep, r.Merge} {
			fmt.Fprintf(w, "%s\n%s\n", s.Head("== "+script.Path), script.Text)
		}
		fmt.Fprintf(w, "%s\n%s\n", s.Head("== to submit them"), strings.Join(r.Commands, "\n"))
		return
	}
	fmt.Fprintf(w, "%s: %d facts with %d prompts, in %d tasks\n", s.Good(dir), r.Facts, r.Prompts, r.Tasks)
	fmt.Fprintf(w, "submitted %s as job %s, and %s as job %s after it\n", filepath.Base(r.Sweep.Path), r.Sweep.Job, filepath.Base(r.Merge.Path), r.Merge.Job)
	fmt.Fprintln(w, "each task writes task-N.log there; the whole will be", sweep.RecordsFile)
}
