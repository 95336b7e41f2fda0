package cmd

import (
	"context"
	"os"

	"github.com/pmctl/pmctl/wallet/format"
)

// run is one invocation: its Env, and what the command line has set so far.
type run struct {
	*Env
	screen  *screen
	started bool
	// output is the format that --output asks for; errors follow it.
	output string
	// outputByDefault tells that nobody asked for it.
	outputByDefault bool
	// quiet has nothing but errors on stderr.
	quiet bool
}

// readUntil has reads of the process's own stdin end with ctx, not only with the input.
func (r *run) readUntil(ctx context.Context) error {
	stdin, ok := r.In.(*os.File)
	if !ok || r.InTerminal {
		return nil
	}
	in, err := r.OpenFD(ctx, int(stdin.Fd()))
	if err != nil {
		return err
	}
	env := *r.Env
	env.In, r.Env = in, &env
	return nil
}

// fail reports err on stderr, as JSON when the command's output is for machines.
func (r *run) fail(err error) int {
	out := classify(err)
	forPeople := r.output == "" || r.output == outputTable || r.outputByDefault && r.ErrTerminal
	if !forPeople {
		_ = format.WriteError(r.Err, format.Error{Code: out.code, ExitCode: out.exit, Message: err.Error(), Hint: out.hint})
		return out.exit
	}
	r.screen.print("pmctl: " + plainLines(err.Error()))
	if out.hint != "" {
		r.screen.print("hint: " + plainLines(out.hint))
	}
	return out.exit
}
