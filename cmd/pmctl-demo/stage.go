package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/pmctl/pmctl/internal/page"
)

// columns is a width that every terminal has.
const columns = 80

// stage is a folder that looks like a new user's home, the binaries, and the output of the
// show.
type stage struct {
	dir string
	env []string
	out io.Writer
	// url is the local network's recipient's.
	url string
}

// newStage creates an empty home. The binaries come first on the path, so that commands read as
// a user types them.
func newStage(bin string, out io.Writer) (*stage, error) {
	bin, err := filepath.Abs(bin)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "pmctl-demo-")
	if err != nil {
		return nil, err
	}
	return &stage{dir: dir, out: out, env: []string{
		"HOME=" + dir,
		"PATH=" + bin + string(os.PathListSeparator) + os.Getenv("PATH"),
		"PMCTL_NETWORK=devnet",
		"ETH_PASSWORD=" + filepath.Join(dir, "passphrase"),
		"NO_COLOR=1",
		"COLUMNS=" + strconv.Itoa(columns),
	}}, nil
}

func (s *stage) close() error { return os.RemoveAll(s.dir) }

// say prints what comes next, in a sentence.
func (s *stage) say(format string, args ...any) {
	text := page.WrapLines(fmt.Sprintf(format, args...), columns-len("# "))
	fmt.Fprintf(s.out, "\n# %s\n", strings.ReplaceAll(text, "\n", "\n# "))
}

// run types one line of shell without quoting: words, at most one pipe, and > to a file. It
// shows the line and its output, and returns its stdout.
func (s *stage) run(ctx context.Context, line string) ([]byte, error) {
	fmt.Fprintf(s.out, "$ %s\n", line)
	line, file, toFile := strings.Cut(line, " > ")
	var input io.Reader
	var output []byte
	parts := strings.Split(line, " | ")
	for i, part := range parts {
		words := strings.Fields(part)
		cmd := s.command(ctx, words...)
		cmd.Stdin = input
		var stdout bytes.Buffer
		cmd.Stdout = &stdout
		if i == len(parts)-1 && !toFile {
			cmd.Stdout = io.MultiWriter(&stdout, s.out)
		}
		cmd.Stderr = s.out
		if err := cmd.Run(); err != nil {
			return nil, fmt.Errorf("%s: %w", part, err)
		}
		output = stdout.Bytes()
		input = bytes.NewReader(output)
	}
	if toFile {
		return output, os.WriteFile(filepath.Join(s.dir, file), output, 0o600)
	}
	return output, nil
}

// ask runs a command that the show does not print and reads its JSON answer's
// data.
func (s *stage) ask(ctx context.Context, into any, words ...string) error {
	cmd := s.command(ctx, words...)
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("%s: %w", strings.Join(words, " "), err)
	}
	return json.Unmarshal(out, &struct {
		Data any `json:"data"`
	}{into})
}

// command is a process in the stage's folder that ends with SIGTERM when ctx ends, and only
// after its children.
func (s *stage) command(ctx context.Context, words ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	if path, err := lookPath(words[0], s.env); err == nil {
		cmd.Path, cmd.Err = path, nil
	}
	cmd.Dir = s.dir
	cmd.Env = s.env
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	return cmd
}

// lookPath finds a program on the stage's own path rather than on this process's.
func lookPath(name string, env []string) (string, error) {
	for _, v := range env {
		path, ok := strings.CutPrefix(v, "PATH=")
		if !ok {
			continue
		}
		for _, dir := range filepath.SplitList(path) {
			file := filepath.Join(dir, name)
			if info, err := os.Stat(file); err == nil && !info.IsDir() && info.Mode()&0o111 != 0 {
				return file, nil
			}
		}
	}
	return "", errors.New("not found")
}
