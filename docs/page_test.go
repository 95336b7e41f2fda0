package docs

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
)

// page is a Markdown file whose console blocks are a session on a terminal.
type page struct {
	path  string
	lines []string
	steps []step
}

// step is a command line with what it prints.
type step struct {
	// command is what to run; it may have several lines.
	command string

	// hidden is a step that the reader does not see: what was there before.
	hidden bool

	// first and last are the lines of the output, last not included; both 0 for a hidden
	// step.
	first, last int
}

var (
	hiddenStep = regexp.MustCompile(`^<!-- run: (.*) -->$`)
	fileBlock  = regexp.MustCompile(`^<!-- file: (\S+) -->$`)
	notRun     = regexp.MustCompile(`^<!-- not run: .+ -->$`)
	network    = regexp.MustCompile(`^(?:\$ )?pmctl-devnet(?: +(--.*))?$`)
	commands   = regexp.MustCompile(`(^|[|;&(] *)(pmctl|pmctl-devnet|pmctl-agent) `)
)

// readPage finds the steps of a page: what consoles run, and the files that are shown, which
// are written to where the line before them says, for later steps to use. A block with
// commands that is neither is an error, unless the line before it says why it is not run.
func readPage(path string) (*page, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	p := &page{path: path, lines: strings.Split(string(text), "\n")}
	for i := 0; i < len(p.lines); i++ {
		if found := hiddenStep.FindStringSubmatch(p.lines[i]); found != nil {
			p.steps = append(p.steps, step{command: found[1], hidden: true})
		}
		language, opens := strings.CutPrefix(p.lines[i], "```")
		if !opens {
			continue
		}
		end := i + 1
		for end < len(p.lines) && p.lines[end] != "```" {
			end++
		}
		if end == len(p.lines) {
			return nil, fmt.Errorf("%s:%d: the block has no end", path, i+1)
		}
		switch {
		case i > 0 && notRun.MatchString(p.lines[i-1]):
		case i > 0 && fileBlock.MatchString(p.lines[i-1]):
			name := fileBlock.FindStringSubmatch(p.lines[i-1])[1]
			p.steps = append(p.steps, writes(name, p.lines[i+1:end]))
		case language == "console":
			if err := p.console(i+1, end); err != nil {
				return nil, err
			}
		case language == "" || language == "sh" || language == "bash":
			for n := i + 1; n < end; n++ {
				if commands.MatchString(strings.TrimPrefix(p.lines[n], "$ ")) {
					return nil, fmt.Errorf("%s:%d: the command is in no console block, so no test runs it", path, n+1)
				}
			}
		}
		i = end
	}
	return p, nil
}

// itsNetwork is the line before the block that starts the network of a page.
const itsNetwork = "<!-- not run: the network of this page runs already -->"

// network is the flags with which a page tells its reader to start the local network.
func (p *page) network() (flags []string, told bool) {
	for i, line := range p.lines {
		if line != itsNetwork {
			continue
		}
		for _, command := range p.lines[i+2:] {
			if found := network.FindStringSubmatch(command); found != nil {
				return strings.Fields(found[1]), true
			}
			if command == "```" {
				break
			}
		}
	}
	return nil, false
}

// setUp reports whether a page has hidden steps, other than files that it shows.
func (p *page) setUp() bool {
	return slices.ContainsFunc(p.lines, hiddenStep.MatchString)
}

// writes is the step that puts lines into a file; what has a first line for the kernel can
// be run.
func writes(name string, lines []string) step {
	command := fmt.Sprintf("mkdir -p \"$(dirname %[1]s)\" && cat >%[1]s <<'=~= end of file'\n%[2]s\n=~= end of file", name, strings.Join(lines, "\n"))
	if strings.HasPrefix(lines[0], "#!") {
		command += "\nchmod +x " + name
	}
	return step{command: command, hidden: true}
}

// console finds the steps in the lines of a console block.
func (p *page) console(first, end int) error {
	for i := first; i < end; {
		command, is := strings.CutPrefix(p.lines[i], "$ ")
		if !is {
			return fmt.Errorf("%s:%d: a console begins with a command: $ …", p.path, i+1)
		}
		i++
		for (strings.HasSuffix(command, `\`) || strings.HasSuffix(command, `|`)) && i < end {
			command += "\n" + p.lines[i]
			i++
		}
		s := step{command: command, first: i}
		for i < end && !strings.HasPrefix(p.lines[i], "$ ") {
			i++
		}
		s.last = i
		p.steps = append(p.steps, s)
	}
	return nil
}

// printed is what the page says that a step prints.
func (p *page) printed(s step) []string { return p.lines[s.first:s.last] }

// outcome is what a page's steps printed in one run, held to what the page shows.
type outcome struct {
	// shown has each step's output as the page would show it: what was printed, with the
	// page's elisions. It is nil for a hidden step.
	shown [][]string
	// wrong names the steps whose output differs in what is the same in each run.
	wrong []int
	// mixed reports whether the page shows the outputs of several runs: one address or hash of
	// the page stands for two of this run, or the reverse.
	mixed error
}

func (p *page) hold(outputs [][]string) outcome {
	o := outcome{shown: make([][]string, len(p.steps))}
	names := bijection{here: make(map[string]string), there: make(map[string]string)}
	for i, s := range p.steps {
		if s.hidden {
			continue
		}
		aligned, ok := align(p.printed(s), outputs[i])
		if !ok {
			o.wrong = append(o.wrong, i)
			o.shown[i] = outputs[i]
			continue
		}
		for n, line := range p.printed(s) {
			if err := names.add(line, aligned[n]); err != nil && o.mixed == nil {
				o.mixed = fmt.Errorf("%s:%d: %w", p.path, s.first+n+1, err)
			}
		}
		o.shown[i] = aligned
	}
	return o
}

// rewrite puts what the steps printed into the page: all of it, so that each page shows one
// run, with one account.
func (p *page) rewrite(o outcome) error {
	if len(o.wrong) == 0 && o.mixed == nil {
		return nil
	}
	var lines []string
	at := 0
	for i, s := range p.steps {
		if s.hidden {
			continue
		}
		lines = append(lines, p.lines[at:s.first]...)
		lines = append(lines, o.shown[i]...)
		at = s.last
	}
	lines = append(lines, p.lines[at:]...)
	return os.WriteFile(p.path, []byte(strings.Join(lines, "\n")), 0o644)
}

// elided stands in a page for any number of lines.
const elided = "…"

// align finds for each line that a page shows the line that was printed, and reports whether
// they are the same but for what differs from run to run. An elision stands for itself.
func align(want, got []string) ([]string, bool) {
	var aligned []string
	for i, line := range want {
		if line == elided {
			for skip := range len(got) + 1 {
				if rest, ok := align(want[i+1:], got[skip:]); ok {
					return append(append(aligned, elided), rest...), true
				}
			}
			return nil, false
		}
		if len(got) == 0 || steady(line) != steady(got[0]) {
			return nil, false
		}
		aligned, got = append(aligned, got[0]), got[1:]
	}
	return aligned, len(got) == 0
}

// identity finds an address or a hash, with 0x or, in a file's name, without.
var identity = regexp.MustCompile(`\b(0x)?([0-9a-fA-F]{40,})\b`)

// bijection pairs each address and hash of a page with one of a run.
type bijection struct{ here, there map[string]string }

func (b bijection) add(shown, printed string) error {
	shownIDs, printedIDs := identity.FindAllStringSubmatch(shown, -1), identity.FindAllStringSubmatch(printed, -1)
	for i := range min(len(shownIDs), len(printedIDs)) {
		page, run := strings.ToLower(shownIDs[i][2]), strings.ToLower(printedIDs[i][2])
		if was, ok := b.there[page]; ok && was != run {
			return fmt.Errorf("%s stands for %s and for %s: the page shows several runs", page, was, run)
		}
		if was, ok := b.here[run]; ok && was != page {
			return fmt.Errorf("%s and %s stand for the same: the page shows several runs", was, page)
		}
		b.there[page], b.here[run] = run, page
	}
	return nil
}

// What differs from run to run, and what stands for it when outputs are compared.
var changing = []struct {
	what *regexp.Regexp
	as   string
}{
	{regexp.MustCompile(`0x[0-9a-fA-F]{40,}`), "0x…"},
	{regexp.MustCompile(`\b\d{4}-\d\d-\d\d([T ]\d\d[:-]\d\d[:-][0-9.]+(Z|[+-]\d\d:\d\d)?)?`), "TIME"},
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "127.0.0.1:PORT"},
	{regexp.MustCompile(`\b[A-Z2-7]{26}\b`), "ID"},
	{regexp.MustCompile(`\b[0-9a-f]{40}\b`), "HEX"},
	{regexp.MustCompile(`\b[0-9a-f]{8}\b`), "SESSION"},
	{regexp.MustCompile(`[0-9A-Za-z+/=]{60,}`), "BASE64"},
	{regexp.MustCompile(`\d+\.\d{6,}`), "N"},
	{regexp.MustCompile(`\d{20,}`), "N"},
	{regexp.MustCompile(`[0-9.]+ ?(µs|ms|s)\b`), "DURATION"},
}

func steady(line string) string {
	for _, c := range changing {
		line = c.what.ReplaceAllString(line, c.as)
	}
	return strings.TrimRight(line, " ")
}
