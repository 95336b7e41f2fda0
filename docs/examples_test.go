package docs

import (
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/cmd"
)

// state is what a command's examples need to have been done before each of them.
var state = map[string]string{
	"account export":       `fresh; export IT=$ME`,
	"account import":       `fresh; mkdir -p ~/backup; cp ~/.local/share/pmctl/keystore/* ~/backup; export ETH_KEYSTORE=$HOME/imported`,
	"account new":          `fresh`,
	"account passwd":       `fresh; export IT=$ME; cp passphrase old; (umask 077; echo other >new)`,
	"account show":         `export IT=$ME`,
	"account list":         `mkdir -p ~/.lpData/arbitrum-one-mainnet; cp -r ~/.local/share/pmctl/keystore ~/.lpData/arbitrum-one-mainnet`,
	"agent lock":           `fresh; pmctl agent start >/dev/null`,
	"agent start":          `fresh; export IT=$ME; cp passphrase pass`,
	"agent status":         `pmctl agent start >/dev/null 2>&1 || true`,
	"agent stop":           `pmctl agent start >/dev/null 2>&1 || true`,
	"call":                 `fresh; echo x >frame.png`,
	"completion":           `mkdir -p etc/bash_completion.d ~/.config/fish/completions zsh; fpath=(x $HOME/zsh)`,
	"config show":          `fresh; mkdir -p ~/.config/pmctl; (umask 077; printf '[profile.night]\nlimits.max_ticket_ev = "100gwei"\n' >~/.config/pmctl/config.toml)`,
	"exit":                 `fresh; pmctl unlock --yes >/dev/null; pmctl-devnet round 8 >/dev/null`,
	"fund":                 `export IT=$ME`,
	"fund auto":            `fresh; export IT=$ME; mkdir -p var/lib/node_exporter; (umask 077; echo https://events.example >events-url; printf '[fund_auto]\ndeposit = "0.1eth"\nmax_per_day = "1eth"\nmax_total = "1eth"\n' >~/.config/pmctl/config.toml)`,
	"history":              `fresh; pmctl signer client add studio >/dev/null`,
	"luck":                 `fresh`,
	"params fetch":         `export IT=$PAID`,
	"params show":          `pmctl params fetch $R -o json >params.json`,
	"pay":                  `export IT=$PAID OTHER=$PAID; echo "$R" >june.txt`,
	"recipient show":       `export OTHER=$PAID`,
	"runway":               `fresh`,
	"signer serve":         `fresh; (umask 077; echo https://hook.example >webhook-url); openssl req -x509 -newkey ed25519 -nodes -keyout key.pem -out cert.pem -subj /CN=localhost 2>/dev/null`,
	"signer client add":    `fresh; export IT=$ME`,
	"signer client rotate": `fresh; pmctl signer client add studio >/dev/null`,
	"signer client revoke": `fresh; pmctl signer client add studio >/dev/null`,
	"signer client set":    `fresh; pmctl signer client add studio >/dev/null`,
	"signer client show":   `fresh; pmctl signer client add studio >/dev/null`,
	"signer usage":         `fresh; pmctl signer client add studio >/dev/null`,
	"status":               `fresh; export OTHER=$ME; mkdir -p var/lib/node_exporter/textfile`,
	"store export":         `fresh`,
	"store import":         `fresh; pmctl store export >ledger.json; fresh; mv ../$BEFORE/ledger.json .`,
	"store migrate":        `fresh; pmctl pay $R --value 1gwei >/dev/null`,
	"ticket batch":         `fresh; rm -f tickets.ndjson; pmctl params fetch $R -o json >params.json`,
	"ticket deliver":       `pmctl params fetch $R -o json >params.json; pmctl ticket batch --params params.json --count 1 >tickets.json`,
	"ticket inspect":       `pmctl params fetch $R -o json >params.json; pmctl ticket batch --params params.json --count 1 -o ndjson >tickets.ndjson 2>/dev/null`,
	"ticket redeem":        `winner`,
	"ticket verify":        `export IT=$ME; pmctl params fetch $R -o json >params.json; pmctl ticket batch --params params.json --count 1 >tickets.json; pmctl ticket batch --params params.json --count 1 -o headers >headers.txt; pmctl params fetch $R --jq . | pmctl ticket batch --stream --count 1 >batches.ndjson`,
	"tx bump":              `pending`,
	"tx cancel":            `pending`,
	"tx send":              `fresh; pmctl fund --deposit 1gwei --unsigned >unsigned.json; pmctl tx sign --yes unsigned.json >signed.json`,
	"tx show":              `sent`,
	"tx sign":              `export IT=$ME`,
	"tx wait":              `sent`,
	"unlock":               `fresh`,
	"unlock cancel":        `fresh; pmctl unlock --yes >/dev/null`,
	"withdraw":             `fresh; pmctl unlock --yes >/dev/null; pmctl-devnet round 8 >/dev/null`,
}

// instead has how an example is run that cannot be as it stands in a pipe: what asks at a
// terminal gets a yes, one that runs until it is interrupted is interrupted.
var instead = map[string]string{
	"pmctl params fetch https://recipient.example -o json | pmctl params show - --max-ticket-ev 100gwei":                                 "ends_with 3 eval 'pmctl params fetch $R -o json | pmctl params show - --max-ticket-ev 100gwei'",
	"pmctl params fetch URL… --jq . | pmctl ticket batch --stream --count 100 -o headers":                                                "pmctl params fetch URL… --jq . | pmctl ticket batch --stream --count 100 -o headers --max-total-ev 1eth",
	"pmctl runner list --signer https://signer.example:8935 --signer-token-file token":                                                   "umask 077; echo t >token; ends_with 7 pmctl runner list --signer http://127.0.0.1:1 --signer-token-file token",
	"pmctl call https://orchestrator.example:8935/apps/echo/app -d hello --signer https://signer.example:8935 --signer-token-file token": "umask 077; echo t >token; ends_with 7 pmctl call https://orchestrator.example:8935/apps/echo/app -d hello --signer http://127.0.0.1:1 --signer-token-file token",
	"pmctl account passwd": "pmctl account passwd --new-passphrase-file new",
	"pmctl fund plan --recipients 10 --spend-rate 0.01eth/day": "pmctl fund plan --recipients 10 --spend-rate 0.01eth/day --pool-size 100",
	"pmctl fund": "pmctl fund --deposit 1gwei --yes",
	"pmctl fund auto --from 0x… --for 0x… --interval 10m --events-file events-url --metrics-file /var/lib/node_exporter/fund.prom": "{ pmctl fund auto --from 0x… --for 0x… --interval 10m --events-file events-url --metrics-file /var/lib/node_exporter/fund.prom & until [ -s ~/var/lib/node_exporter/fund.prom ]; do sleep 0.1; done; kill -INT $!; wait $!; }",
	"pmctl account export --out backup.json":                       "pmctl account export --out backup.json --new-passphrase-file passphrase",
	"pmctl status --watch --interval 30s":                          "ends_with 130 timeout --preserve-status -s INT 1 pmctl status --watch --interval 30s",
	"pmctl agent start --foreground --passphrase-file pass":        "{ pmctl agent start --foreground --passphrase-file pass & until pmctl agent status >/dev/null 2>&1; do sleep 0.1; done; kill -INT $!; wait $!; }",
	"pmctl tx wait 0x… --confirmations 12 --timeout 10m":           "pmctl-devnet mine 12 >/dev/null; pmctl tx wait 0x… --confirmations 12 --timeout 10m",
	"pmctl completion powershell | Out-String | Invoke-Expression": "pmctl completion powershell | grep -q Register-ArgumentCompleter",
}

// asks are the commands that want a yes.
var asks = regexp.MustCompile(`^pmctl (fund --deposit \S+ --reserve|exit|unlock|withdraw|tx bump|tx cancel|tx sign|ticket redeem|account export 0x… --raw)`)

// here has what stands in examples for what the reader has, and what that is here.
var here = strings.NewReplacer(
	"https://orchestrator.example:8935/apps/echo", "$R/apps/fixed1", "https://orchestrator.example:8935/apps/live", "$R/apps/live1",
	"$PMCTL_APP_URL", "$PMCTL_APP_URL", "https://recipient.example", "$R", "URL…", "$R", "URL", "$R",
	"~/backup/UTC--2024-…", "~/backup/UTC--*", "0x…", "$IT", "age1…", "age1",
	"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "${OTHER:-$ME}",
	"postgres://pmctl@db.example/pay", "$HOME/other.db", "arbitrum-one-mainnet --output", "devnet --output",
	"ByteDance/SDXL-Lightning", "local/still",
	" /etc/", " $HOME/etc/", " /var/", " $HOME/var/", "/run/pmctl/agent.sock", "$HOME/.local/state/pmctl/agent/agent.sock",
)

// begin is what the shell of the examples knows.
const begin = `
export PMCTL_NETWORK=devnet TOP=$HOME PMCTL_DEVNET_STATE=$HOME/.local/state/pmctl/devnet.json
R=$(jq -r '.recipients[0].url' "$PMCTL_DEVNET_STATE")
PAID=$(jq -r '.recipients[0].address' "$PMCTL_DEVNET_STATE")
CONTROL=$(jq -r .control_url "$PMCTL_DEVNET_STATE")
age() { cat; }                  # what encrypts, and what keeps secrets, are others' programs
pass() { jq -r '.accounts[1].private_key' "$PMCTL_DEVNET_STATE"; }
ends_with() { local want=$1 code=0; shift; "$@" || code=$?; [ $code = $want ]; }
stopped() { # a signer, once it is ready
	"$@" 2>signer.log & until grep -q ready signer.log || ! kill -0 $!; do sleep 0.1; done
	kill -TERM $!; wait $!
}
fresh() { # a home with an account that has funds
	[ ! -S ~/.local/state/pmctl/agent/agent.sock ] || pmctl agent stop >/dev/null
	unset ETH_KEYSTORE OTHER
	BEFORE=$(basename "$HOME"); export HOME=$(mktemp -d "$TOP/home.XXXX"); cd "$HOME"
	(umask 077; echo secret >passphrase; mkdir -p .config/pmctl; cp passphrase .config/pmctl)
	export ETH_PASSWORD=$HOME/passphrase
	pmctl account new --lightkdf >/dev/null || return
	ME=$(pmctl account list -o json | jq -r '.data.accounts[0].address')
	pmctl-devnet faucet "$ME" 10eth >/dev/null && pmctl fund --deposit 1eth --reserve 1eth --yes --quiet >/dev/null
}
pending() { # a transaction that is not mined
	fresh; curl -s -X POST "$CONTROL/automine?on=false" >/dev/null
	export IT=$(pmctl fund --deposit 1gwei --yes --no-wait -o json 2>/dev/null | jq -r .data.transaction_hash)
	(sleep 1; curl -s -X POST "$CONTROL/automine?on=true"; pmctl-devnet mine 1) >/dev/null 2>&1 &
}
sent() { export IT=$(pmctl fund --deposit 1gwei --yes -o json 2>/dev/null | jq -r .data.transaction_hash); }
winner() { # a ticket that wins for sure, the recipient's number being 1
	fresh; (umask 077; echo 1 >rand.txt)
	pmctl params fetch $R -o json | jq -c '.data.ticket_params |= (.face_value = "1000000000000000" |
		.recipient_rand_hash = "0xb10e2d527612073b26eecdfd717e6a320cf44b4afac2b0732d9fcbe2b7fa0cf6" |
		.win_prob = "115792089237316195423570985008687907852929702298719625575994209400481361428480")' >params.json
	pmctl ticket batch --params params.json --count 1 --max-ticket-ev 1eth --max-total-ev 1eth >tickets.json 2>/dev/null
	pmctl ticket batch --params params.json --count 1 --max-ticket-ev 1eth --max-total-ev 1eth -o payment >header.txt 2>/dev/null
	pmctl-devnet mine 41 >/dev/null
}
fresh`

// TestSoakExamples runs every line of every command's examples. A command that can be run has
// one.
func TestSoakExamples(t *testing.T) {
	if testing.Short() {
		t.Skip("it runs whole programs, which the race detector does not look into")
	}
	needPrograms(t)
	t.Parallel()
	p := &page{path: "the examples", steps: []step{{command: begin, hidden: true}}}
	lines := []string{""}
	for _, c := range leaves(cmd.Tree()) {
		name := strings.TrimPrefix(c.CommandPath(), "pmctl ")
		require.NotEmpty(t, c.Example, "pmctl %s has no example", name)
		for n, line := range exampleLines(c.Example) {
			// The lines of one example of tx sign go on from each other.
			if prepare := state[name]; prepare != "" && (n == 0 || name != "tx sign") {
				p.steps = append(p.steps, step{command: prepare, hidden: true})
				lines = append(lines, "")
			}
			p.steps = append(p.steps, step{command: "{ " + toRun(line) + "; } </dev/null"})
			lines = append(lines, line)
		}
	}
	require.Greater(t, len(lines), 100)
	for i, output := range newWorld(t, programs(t), networkOf(t, p)).run(p) {
		if lines[i] != "" && len(output) > 0 && strings.HasPrefix(output[len(output)-1], "[exit code ") {
			t.Errorf("%s\nrun as %s\n%s", lines[i], p.steps[i].command, strings.Join(output, "\n"))
		}
	}
	for line := range instead {
		require.Contains(t, lines, line, "there is no such example to run in another way")
	}
}

// toRun is how an example is run here.
func toRun(line string) string {
	if other, ok := instead[line]; ok {
		return here.Replace(other)
	}
	if strings.HasPrefix(line, "pmctl signer serve") {
		return here.Replace("stopped " + line + " --listen 127.0.0.1:0")
	}
	if asks.MatchString(line) && !strings.Contains(line, "--yes") && !strings.Contains(line, "--unsigned") {
		first, rest, _ := strings.Cut(line, " >")
		line = first + " --yes"
		if rest != "" {
			line += " >" + rest
		}
	}
	return here.Replace(line)
}

// leaves are the commands that do something.
func leaves(c *cobra.Command) (found []*cobra.Command) {
	if c.Runnable() && (!c.HasSubCommands() || c.Example != "") && !c.Hidden {
		found = append(found, c)
	}
	for _, sub := range c.Commands() {
		found = append(found, leaves(sub)...)
	}
	return found
}

// exampleLines are an example's command lines, each of which may go over several lines.
func exampleLines(example string) (lines []string) {
	var open string
	for line := range strings.Lines(example) {
		open += strings.TrimSpace(line)
		if strings.HasSuffix(open, `\`) || strings.HasSuffix(open, "|") {
			open = strings.TrimSuffix(open, `\`) + " "
			continue
		}
		lines, open = append(lines, strings.ReplaceAll(open, "  ", " ")), ""
	}
	return lines
}

// TestStatesAreUsed finds a command for each state that is prepared.
func TestStatesAreUsed(t *testing.T) {
	for name := range state {
		found, rest, err := cmd.Tree().Find(strings.Fields(name))
		require.NoError(t, err)
		require.Empty(t, rest, name)
		require.NotEmpty(t, found.Example, name)
	}
}
