package kernel

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// Finding is one line of a health check.
type Finding struct {
	What   string // what was looked at
	Found  string // what is there
	Fault  error  // what is wrong and what to do about it; nil if nothing
	Advice string // what could be better
}

// Check looks at everything that the kernel needs.
func (p Paths) Check(ctx context.Context) []Finding {
	findings := []Finding{p.CheckGo(ctx), p.checkTools(), p.checkGopls(), p.checkJupyter(ctx), p.checkSpec(), p.checkSIMD(ctx), p.checkModel(ctx)}
	return append(findings, p.checkXLA(ctx)...)
}

// CheckGo looks at the Go command, and whether it can read our go.mod.
func (p Paths) CheckGo(ctx context.Context) Finding {
	f := Finding{What: "Go"}
	out, err := command(ctx, p.Root, os.Environ(), p.Go, "version")
	f.Found, f.Fault = strings.TrimSpace(out), err
	if err == nil {
		_, err = command(ctx, p.Root, os.Environ(), p.Go, "list", "-m")
		f.Fault = err
	}
	return f
}

func (p Paths) checkTools() Finding {
	f := Finding{What: "tools", Found: p.Bin()}
	for _, name := range []string{"gonb", "goimports", Name, "kn"} {
		if _, err := os.Stat(p.Program(name)); err != nil {
			f.Fault = fmt.Errorf("%s is missing: run \"go run ./install\"", p.Program(name))
		}
	}
	return f
}

func (p Paths) checkGopls() Finding {
	f := Finding{What: "gopls", Found: p.Program("gopls")}
	if _, err := os.Stat(f.Found); err != nil {
		f.Found, f.Advice = "none", "cells work, but without completion and inspection; \"go run ./install\" tries again"
		if path, err := exec.LookPath("gopls"); err == nil {
			f.Found, f.Advice = path, ""
		}
	}
	return f
}

func (p Paths) checkJupyter(ctx context.Context) Finding {
	f := Finding{What: "Jupyter"}
	j, err := p.FindJupyter(ctx)
	if err != nil {
		f.Fault = fmt.Errorf("%w: run \"go run ./install\"", err)
		return f
	}
	f.Found = fmt.Sprintf("JupyterLab %s, %s", j.Version, j.Command)
	return f
}

func (p Paths) checkSpec() Finding {
	return Finding{What: "kernelspec", Found: p.Spec(), Fault: p.CheckSpec()}
}

func (p Paths) checkSIMD(ctx context.Context) Finding {
	f := Finding{What: "SIMD", Found: "not used on " + runtime.GOARCH}
	if runtime.GOARCH != "amd64" {
		return f
	}
	out, err := command(ctx, p.Root, p.Environment(os.Environ()), p.Go, "env", "GOEXPERIMENT")
	f.Found, f.Fault = "GOEXPERIMENT="+strings.TrimSpace(out), err
	if err == nil && !strings.Contains(out, "simd") || strings.Contains(out, "nosimd") {
		f.Advice = "computations are five to ten times slower without it; take nosimd out of GOEXPERIMENT"
	}
	return f
}

// checkModel lets the kn command say its backend and predict with the
// embedded model.
func (p Paths) checkModel(ctx context.Context) Finding {
	f := Finding{What: "backend and model"}
	_, err := p.predict(ctx, "")
	if err != nil {
		f.Fault = fmt.Errorf("%w\nrun \"go run ./install\"; if it stays, KN_BACKEND may name a backend that cannot be opened", err)
		return f
	}
	version, err := command(ctx, p.Root, os.Environ(), p.Program("kn"), "version")
	f.Found, f.Fault = strings.Join(strings.Fields(version), " ")+", the embedded model predicts", err
	return f
}
