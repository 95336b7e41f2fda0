package contracts_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/devnet/contracts"
)

// A changed source must be compiled again.
func TestArtifactsAreOfTheseSources(t *testing.T) {
	names, err := filepath.Glob("*.sol")
	require.NoError(t, err)
	require.NotEmpty(t, names)
	sort.Strings(names)
	hash := sha256.New()
	for _, name := range names {
		content, err := os.ReadFile(name)
		require.NoError(t, err)
		hash.Write([]byte(name + "\x00"))
		hash.Write(content)
		hash.Write([]byte{0})
	}
	artifacts, err := contracts.Load()
	require.NoError(t, err)
	require.Equal(t, hex.EncodeToString(hash.Sum(nil)), artifacts.SourceSHA256, "run make contracts")
}

func TestCompilerIsThePinnedOne(t *testing.T) {
	data, err := os.ReadFile("package.json")
	require.NoError(t, err)
	var pinned struct{ Dependencies map[string]string }
	require.NoError(t, json.Unmarshal(data, &pinned))
	artifacts, err := contracts.Load()
	require.NoError(t, err)
	version, _, _ := strings.Cut(artifacts.Compiler, "+")
	require.Equal(t, pinned.Dependencies["solc"], version)
}

// What pmctl calls on the deployed network is answered here in the same form.
func TestDeployedInterfaces(t *testing.T) {
	artifacts, err := contracts.Load()
	require.NoError(t, err)
	files, err := filepath.Glob("../../contract/abi/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			deployed, err := abi.JSON(bytes.NewReader(data))
			require.NoError(t, err)
			ours := artifacts.Contracts[name].ABI
			for _, method := range deployed.Methods {
				own, ok := ours.Methods[method.Name]
				require.True(t, ok, method.Sig)
				require.Equal(t, method.Sig, own.Sig)
				require.Equal(t, types(method.Outputs), types(own.Outputs), method.Sig)
				require.Equal(t, method.IsConstant(), own.IsConstant(), method.Sig)
				require.Equal(t, method.IsPayable(), own.IsPayable(), method.Sig)
			}
			for _, event := range deployed.Events {
				own, ok := ours.Events[event.Name]
				require.True(t, ok, event.Sig)
				require.Equal(t, event.ID, own.ID, event.Sig)
				require.Equal(t, types(event.Inputs), types(own.Inputs), event.Sig)
			}
		})
	}
}

// types are arguments' types and, for events, where they are found.
func types(arguments abi.Arguments) (out []string) {
	for _, argument := range arguments {
		text := argument.Type.String()
		if argument.Indexed {
			text += " indexed"
		}
		out = append(out, text)
	}
	return out
}

func TestCreationCode(t *testing.T) {
	artifacts, err := contracts.Load()
	require.NoError(t, err)
	controller := artifacts.Contracts[contracts.Controller]
	code, err := controller.CreationCode()
	require.NoError(t, err)
	require.Equal(t, []byte(controller.Bytecode), code)
	_, err = artifacts.Contracts[contracts.Minter].CreationCode("not an address")
	require.Error(t, err)
	_, err = artifacts.Contracts[contracts.Minter].CreationCode()
	require.Error(t, err)
}
