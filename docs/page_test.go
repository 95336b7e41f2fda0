package docs

import (
	"fmt"
	"os"
	"regexp"
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
					return nil, fmt.Errorf("%s:%d: the command is in no console block, so that nobody runs it", path, n+1)
				}
			}
		}
		i = end
	}
	return p, nil
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

// rewrite puts what the steps print into the page.
func (p *page) rewrite(outputs [][]string) error {
	var lines []string
	at := 0
	for i, s := range p.steps {
		if s.hidden {
			continue
		}
		lines = append(lines, p.lines[at:s.first]...)
		if matches(p.printed(s), outputs[i]) {
			lines = append(lines, p.printed(s)...)
		} else {
			lines = append(lines, outputs[i]...)
		}
		at = s.last
	}
	lines = append(lines, p.lines[at:]...)
	return os.WriteFile(p.path, []byte(strings.Join(lines, "\n")), 0o644)
}

// elided stands in a page for any number of lines.
const elided = "…"

// matches tells whether a page's output is what was printed, but for what differs from
// run to run.
func matches(want, got []string) bool {
	for i, line := range want {
		if line == elided {
			rest := want[i+1:]
			for skip := range len(got) + 1 {
				if matches(rest, got[skip:]) {
					return true
				}
			}
			return false
		}
		if len(got) == 0 || steady(line) != steady(got[0]) {
			return false
		}
		got = got[1:]
	}
	return len(got) == 0
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
