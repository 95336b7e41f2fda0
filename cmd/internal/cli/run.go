package cli

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/pmctl/pmctl/internal/durable"
	"github.com/pmctl/pmctl/internal/jsonfilter"
	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/internal/terminal"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/format"
)

// Run is one invocation: its Env, and what the command line has set so far.
type Run struct {
	*Env
	screen *terminal.Screen
	out    *checkedWriter

	// Program is the name that errors begin with.
	Program string
	// Started reports whether a command's own code runs.
	Started bool
	// Output is the format that --output asks for; errors follow it.
	Output string
	// OutputByDefault reports whether --output was not given.
	OutputByDefault bool
	// Quiet has nothing but errors on stderr.
	Quiet bool
	// Verbose shows every request on stderr, and in tables what is seldom of use.
	Verbose bool

	// color is the value of --color.
	color string

	filters  filterOptions
	filtered *jsonfilter.Writer // nil without a filter
}

// NewRun is an invocation in a world.
func NewRun(env *Env) *Run {
	own := *env
	r := &Run{Env: &own, Program: "pmctl", screen: terminal.NewScreen(env.Err, env.ErrTerminal, func() int { return errWidth(env) }), out: &checkedWriter{w: env.Out}, color: colorAuto}
	own.Out, own.OnRequest, own.Files = r.out, showRequests(r), cmp.Or[durable.FS](env.Files, durable.OS{})
	if env.Prompter != nil {
		if dialog, ok := env.Prompter.(*terminal.Dialog); ok {
			dialog.Plain = func() bool { return !bool(coloured(r, env.ErrTerminal)) }
		}
		own.Prompter = terminal.Polite(env.Prompter, r.screen)
	}
	return r
}

// withSettings returns r with the config files as they are now, for what asks for many settings.
func withSettings(r *Run) (*Run, error) {
	files, err := r.Settings()
	if err != nil {
		return nil, err
	}
	run, env := *r, *r.Env
	env.settings, run.Env = files, &env
	return &run, nil
}

// RegisterFlags adds the flags that every command has.
func (r *Run) RegisterFlags(flags *pflag.FlagSet) {
	flags.StringVar(&r.Profile, "profile", "", "use the settings of profile `NAME` in the config file (default $PMCTL_PROFILE)")
	flags.BoolVarP(&r.Verbose, "verbose", "v", false, "show more: contract addresses, names of key files, and on stderr each request that pmctl sends, with its time")
	RegisterScreenFlags(r, flags)
}

// RegisterScreenFlags adds those of these flags that programs beside pmctl have too.
func RegisterScreenFlags(r *Run, flags *pflag.FlagSet) {
	flags.BoolVarP(&r.Quiet, "quiet", "q", false, "print only errors on stderr")
	flags.Var(&Choice{&r.color, []string{colorAuto, colorAlways, colorNever}}, "color", "use colours `WHEN`: auto, always or never")
}

// Begin has reads of the process's own stdin end with ctx, not only with the input. It
// fails where stdout is closed, in the way that the arguments ask for.
func (r *Run) Begin(ctx context.Context, args []string) error {
	guessOutput(r, args)
	if stdin, ok := r.In.(*os.File); ok && !r.InTerminal {
		in, err := endWith(ctx, stdin)
		if err != nil {
			return err
		}
		r.In = in
	}
	if r.OutClosed {
		return errOutClosed
	}
	return nil
}

// Fail reports err on stderr, as JSON when the command's output is for machines.
func (r *Run) Fail(err error) int {
	e := Failure(err)
	if !forPeople(r) {
		_ = format.WriteError(r.Err, e)
		return e.ExitCode
	}
	r.screen.Print(r.Program + ": " + page.PlainLines(e.Message))
	if e.Hint != "" {
		r.screen.Print("hint: " + page.PlainLines(e.Hint))
	}
	return e.ExitCode
}

// interrupted is err as that of a command that ctx ended; err itself where it says
// more than that.
func interrupted(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	switch exitCode(wallet.ClassOf(err)) {
	case ExitUsage, ExitNotMined:
		if last := context.Canceled.Error(); strings.HasSuffix(err.Error(), last) {
			return &endedError{err, last, "interrupted"}
		}
		return err
	}
	return endedBySignal(err, context.Cause(ctx))
}

// Confirm asks before something that cannot be undone, unless --yes was passed.
func (r *Run) Confirm(ctx context.Context, yes bool, question string) error {
	if yes {
		return nil
	}
	if !r.InTerminal {
		return Usagef("%s Not a terminal, cannot ask for confirmation; pass --yes", question)
	}
	if r.Quiet {
		return Usagef("%s With --quiet pmctl does not ask for confirmation; pass --yes, or leave out --quiet", question)
	}
	r.screen.Release()
	return r.Prompter.Confirm(ctx, question)
}

// showRequests writes requests to other programs to stderr if --verbose was passed.
func showRequests(r *Run) func(wallet.Request) {
	return func(q wallet.Request) {
		if r.Verbose {
			r.screen.Print(page.PlainLines(requestLine(q)))
		}
	}
}

func requestLine(q wallet.Request) string {
	counts := make(map[string]int)
	var methods []string
	for _, method := range q.Methods {
		if counts[method]++; counts[method] == 1 {
			methods = append(methods, method)
		}
	}
	for i, method := range methods {
		if n := counts[method]; n > 1 {
			methods[i] = fmt.Sprintf("%d × %s", n, method)
		}
	}
	outcome := "answered"
	if q.Err != nil {
		outcome = q.Err.Error()
	}
	return fmt.Sprintf("%-9s %s: %s: %d ms: %s", q.To, q.URL, strings.Join(methods, ", "), q.Took.Milliseconds(), outcome)
}
