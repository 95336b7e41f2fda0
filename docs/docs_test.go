// Package docs has the pages that people read, and a test that runs them.
package docs

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/internal/oneday"
)

var update = flag.Bool("update", false, "write what the commands print into the pages")

// seed makes the local network's addresses the same at each run.
const seed = "pmctl's documentation"

// TestPages runs every command line of the pages, each page from top to bottom in a home
// and on a local network of its own, and compares what is printed. -update writes it.
func TestPages(t *testing.T) {
	needPrograms(t)
	bin := programs(t)
	for _, path := range everyPage(t) {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			p, err := readPage(path)
			require.NoError(t, err)
			if len(p.steps) == 0 {
				return
			}
			outputs := newWorld(t, bin, networkOf(t, p)).run(p)
			held := p.hold(outputs)
			if *update {
				require.NoError(t, p.rewrite(held))
				return
			}
			for _, i := range held.wrong {
				s := p.steps[i]
				t.Errorf("%s:%d: %s\nprints\n%s\nand not\n%s\nIf that is right: go test ./docs -update",
					path, s.first, s.command, strings.Join(outputs[i], "\n"), strings.Join(p.printed(s), "\n"))
			}
			require.NoError(t, held.mixed, "To show one run: go test ./docs -update")
		})
	}
}

// The page that tells how to start the network of all pages that do not start their own.
const (
	networkPage = "README.md"
	networkLink = "](README.md#repeat-a-session)"
)

// networkOf is the flags of the local network that a page tells its reader to start.
func networkOf(t *testing.T, p *page) []string {
	t.Helper()
	if flags, own := p.network(); own {
		return flags
	}
	shared, err := readPage(networkPage)
	require.NoError(t, err)
	flags, own := shared.network()
	require.True(t, own, "%s starts no network", networkPage)
	return flags
}

// TestPagesNameTheirNetwork finds on each page that begins with more than the reader sees how
// to come to that: its own network, or the way to that of all pages.
func TestPagesNameTheirNetwork(t *testing.T) {
	for _, path := range everyPage(t) {
		p, err := readPage(path)
		require.NoError(t, err)
		if _, own := p.network(); own || !p.setUp() {
			continue
		}
		if !strings.Contains(strings.Join(p.lines, "\n"), networkLink) {
			t.Errorf("%s does not say what its commands need: start a network there, or link %s", path, networkLink)
		}
	}
}

// needPrograms skips the test where what the pages use beside pmctl is not here.
func needPrograms(t *testing.T) {
	t.Helper()
	for _, program := range []string{"bash", "curl", "jq", "openssl"} {
		if _, err := exec.LookPath(program); err != nil && os.Getenv("PMCTL_REQUIRE_DOCS") == "" {
			t.Skipf("the pages use %s, which is not here", program)
		}
	}
}

// TestMain has a folder for the programs, which the first test that needs them links.
func TestMain(m *testing.M) {
	var err error
	if bin, err = os.MkdirTemp("", "pmctl-docs-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(bin)
	os.Exit(code)
}

var (
	bin    string
	linked = sync.OnceValue(func() error {
		out, err := exec.Command("go", "build", "-ldflags=-s -w", "-o", bin+"/", "..", "../cmd/pmctl-devnet", "../cmd/pmctl-demo").CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	})
)

// programs returns the folder of pmctl, the local network and the demo.
func programs(t *testing.T) string {
	t.Helper()
	require.NoError(t, linked())
	return bin
}

// world is the machine that a page runs on.
type world struct {
	t    *testing.T
	bin  string
	home string
	// names are what the page says, and what that is here.
	names []string
}

// newWorld starts a local network with the flags that a page names.
func newWorld(t *testing.T, bin string, flags []string) *world {
	oneday.For(t, 2*time.Minute)
	w := &world{t: t, bin: bin, home: t.TempDir()}
	state := filepath.Join(w.home, ".local", "state", "pmctl", "devnet.json")
	network := exec.Command(filepath.Join(bin, "pmctl-devnet"), append(flags, "--seed", seed, "-o", "json", "--state", state)...)
	network.Env = w.env()
	network.Dir = w.home
	stdout, err := network.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, network.Start())
	t.Cleanup(func() {
		_ = network.Process.Signal(os.Interrupt)
		_ = network.Wait()
	})
	var ready struct {
		RPCURL     string `json:"rpc_url"`
		Recipients []struct {
			URL string `json:"url"`
		} `json:"recipients"`
	}
	require.NoError(t, json.NewDecoder(stdout).Decode(&ready))
	// A key file of standard strength takes a second to open, and the pages open theirs often.
	w.names = []string{"https://node.example/key", ready.RPCURL, "pmctl account new", "pmctl account new --lightkdf"}
	for i, r := range ready.Recipients {
		name := "https://recipient.example"
		if i > 0 {
			name = fmt.Sprintf("https://recipient%d.example", i+1)
		}
		w.names = append(w.names, name, r.URL)
	}
	return w
}

// env is a new user's environment.
func (w *world) env() []string {
	return []string{
		"HOME=" + w.home, "PATH=" + w.bin + ":" + os.Getenv("PATH"), "LANG=C.UTF-8", "TZ=UTC", "TERM=dumb", "USER=you",
	}
}

// patience is how long a page's shell may print nothing: a step that ends prints its mark, so
// that a long page on a slow machine is no failure.
const patience = 5 * time.Minute

// printed keeps what a shell prints, and keeps it running while it does.
type printed struct {
	text bytes.Buffer
	end  *time.Timer
}

func (p *printed) Write(text []byte) (int, error) {
	p.end.Reset(patience)
	return p.text.Write(text)
}

// run runs a page's steps in one shell, and returns what each of them prints. A command
// that fails prints its exit code last.
func (w *world) run(p *page) [][]string {
	const mark = "=~=~= end of step"
	here, there := w.replacers(p)
	var script strings.Builder
	for i, s := range p.steps {
		fmt.Fprintf(&script, "%s\nprintf '\\n%s %d %%d\\n' $?\n", here.Replace(s.command), mark, i)
	}
	file := filepath.Join(w.t.TempDir(), "page.sh")
	require.NoError(w.t, os.WriteFile(file, []byte(script.String()), 0o600))

	ctx, cancel := context.WithCancel(w.t.Context())
	defer cancel()
	shell := exec.CommandContext(ctx, "bash", "--noprofile", "--norc", file)
	shell.Env, shell.Dir = w.env(), w.home
	shell.WaitDelay = time.Second
	out := printed{end: time.AfterFunc(patience, cancel)}
	defer out.end.Stop()
	shell.Stdout, shell.Stderr = &out, &out
	err := shell.Run()

	text := out.text.String()
	outputs := make([][]string, 0, len(p.steps))
	for i, s := range p.steps {
		ended := regexp.MustCompile(`\n` + mark + ` ` + strconv.Itoa(i) + ` (\d+)\n`).FindStringSubmatchIndex(text)
		require.NotNil(w.t, ended, "%s does not come to an end (%v):\n%s", s.command, err, text)
		printed, code := strings.TrimRight(text[:ended[0]], "\n"), text[ended[2]:ended[3]]
		text = text[ended[1]:]
		if code != "0" {
			require.False(w.t, s.hidden, "%s ends with %s:\n%s", s.command, code, printed)
			printed += "\n[exit code " + code + "]"
		}
		var lines []string
		if printed = strings.TrimPrefix(printed, "\n"); printed != "" {
			lines = strings.Split(there.Replace(printed), "\n")
		}
		outputs = append(outputs, lines)
	}
	return outputs
}

// replacers turn what the page says into what is here, and back. A page that never writes a
// name shows what its reader sees.
func (w *world) replacers(p *page) (here, there *strings.Replacer) {
	text := strings.Join(p.lines, "\n")
	var forth, back []string
	for i := 0; i < len(w.names); i += 2 {
		if strings.Contains(text, w.names[i]) {
			forth = append(forth, w.names[i], w.names[i+1])
			back = append(back, w.names[i+1], w.names[i])
		}
	}
	return strings.NewReplacer(forth...), strings.NewReplacer(append(back, w.home, "/home/you")...)
}
