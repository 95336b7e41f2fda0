package cmd

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/pmctl/pmctl"

// TestImportsPointOneWay holds the fence between the packages: commands use the
// wallet, the wallet uses the protocol and the keys, and these use neither.
func TestImportsPointOneWay(t *testing.T) {
	for _, c := range []struct {
		from      string
		forbidden []string
	}{
		{"/pm/...", []string{"/wallet", "/cmd", "/keystore"}},
		{"/keystore", []string{"/wallet", "/cmd"}},
		{"/wallet/...", []string{"/cmd"}},
		{"/internal/...", []string{"/pm", "/wallet", "/cmd", "/keystore"}},
		{"/wallet/broker", []string{"/keystore", "/wallet/chain", "/wallet/store", "/wallet/internal/tx"}},
		{"/wallet/internal/nodes", []string{"/keystore", "/wallet/broker", "/wallet/store", "/wallet/internal/tx"}},
		{"/wallet/wei", []string{"/pm", "/keystore", "/wallet/chain"}},
	} {
		for _, dep := range deps(t, module+c.from) {
			for _, f := range c.forbidden {
				require.False(t, dep == module+f || strings.HasPrefix(dep, module+f+"/"), "%s imports %s", c.from, dep)
			}
		}
	}
}

// TestOnlySourcesHoldKeys: above package signer there are sources, so that a key can be
// elsewhere. A key that is exported or imported is a matter of its file, and the benchmark
// measures keys themselves.
func TestOnlySourcesHoldKeys(t *testing.T) {
	out, err := exec.Command("grep", "-rlE", `keystore\.(Signer|NewRawSigner)\b`, "--include=*.go", "--exclude=*_test.go", "../wallet", ".").Output()
	require.NoError(t, err)
	allowed := regexp.MustCompile(`^(\.\./wallet/signer|\./account|\./pmctl-bench)/`)
	for _, file := range strings.Fields(string(out)) {
		require.Regexp(t, allowed, file)
	}
}

// TestCommandsUseFlows: the rooms in which the order of calls keeps money safe are used
// through package wallet alone, and no room of the commands imports another.
func TestCommandsUseFlows(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", "{{.ImportPath}} {{join .Imports \" \"}}", module+"/cmd/...").Output()
	require.NoError(t, err)
	rooms := 0
	for line := range strings.Lines(string(out)) {
		imports := strings.Fields(strings.ReplaceAll(line, module, ""))
		room := imports[0]
		if strings.HasPrefix(room, "/cmd/pmctl-") || room == "/cmd/model" {
			continue // other programs, and tests
		}
		rooms++
		for _, used := range imports[1:] {
			for _, below := range []string{"/wallet/store", "/wallet/internal/tx", "/wallet/chain"} {
				require.False(t, used == below || strings.HasPrefix(used, below+"/"), "%s imports %s", room, used)
			}
			if room != "/cmd" && strings.HasPrefix(used, "/cmd/") {
				require.Equal(t, "/cmd/internal/cli", used, room)
			}
		}
	}
	require.Greater(t, rooms, 10)
}

// TestWalletLinksNoNode keeps the full node, which the local network runs in its
// own binary, and what documentation is made with, out of pmctl.
func TestWalletLinksNoNode(t *testing.T) {
	const geth = "github.com/ethereum/go-ethereum/"
	for _, dep := range deps(t, module) {
		require.False(t, strings.HasPrefix(dep, module+"/wallet/devnet"), dep)
		require.False(t, strings.HasPrefix(dep, "github.com/spf13/cobra/doc"), dep)
		require.NotContains(t, dep, "jsonschema", "only tests read schemas")
		for _, node := range []string{"node", "eth", "core/vm", "core/state", "p2p", "ethdb/pebble"} {
			require.NotEqual(t, geth+node, dep)
		}
	}
}

// TestNoProgramLinksMocks: package pm documents mocks, whose embedded type is testify's. Its
// YAML parser and a test server's flags would be initialized in every program that imports
// pm, since the linker keeps what package initialization reaches. The tag nomocks leaves
// the mocks out of the programs; everything that builds one has it.
func TestNoProgramLinksMocks(t *testing.T) {
	for _, dep := range deps(t, module, "-tags=nomocks") {
		for _, part := range []string{"stretchr", "yaml", "net/http/httptest", "testing"} {
			require.False(t, strings.Contains(dep, part), dep)
		}
	}
	for file, builds := range map[string]string{
		"../Makefile":             `(?m)build .*-o \$\(BIN\)/.*$`,
		"../.goreleaser.yaml":     `(?m)^    tags: \[(?:netgo|nomocks|\]).*$`,
		"../packaging/targets.sh": `(?m)^target .*$`,
		"pmctl-bench/main.go":     `(?m)-tags=.*$`,
	} {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		found := regexp.MustCompile(builds).FindAllString(string(text), -1)
		require.NotEmpty(t, found, file)
		for _, build := range found {
			require.Contains(t, build, "nomocks", file)
		}
	}
}

func deps(t *testing.T, pattern string, flags ...string) []string {
	t.Helper()
	out, err := exec.Command("go", append(append([]string{"list", "-deps"}, flags...), pattern)...).Output()
	require.NoError(t, err)
	return strings.Fields(string(out))
}
