package cmd

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/devnet"
)

// What one node says is not the network's word: these tests have a node lie, and then a
// sound one show what really happened.

// refusals are what nodes say to a transaction; the last one is in no list.
var refusals = []string{
	"insufficient funds for gas * price + value: balance 0, tx cost 1, overshot 1",
	"max fee per gas less than block base fee: address 0x00, maxFeePerGas: 1, baseFee: 2",
	"replacement transaction underpriced",
	"exceeds block gas limit",
	"invalid sender",
	"gas tip cap 1000000, minimum needed 25000000000",
	"transaction type not supported",
	"the moon is in the wrong phase",
}

// balancer is a node that hands a transaction to the network, and has another one refuse
// it that does not know anything of it.
func balancer(refusal string) func(rpcRequest, func() rpcReply) rpcReply {
	return func(req rpcRequest, ask func() rpcReply) rpcReply {
		switch req.Method {
		case "eth_sendRawTransaction":
			ask()
			return req.refuse(refusal)
		case "eth_getTransactionByHash", "eth_getTransactionReceipt":
			return req.answer("null")
		}
		return ask()
	}
}

// refusing is a node that takes no transaction.
func refusing(refusal string) func(rpcRequest, func() rpcReply) rpcReply {
	return func(req rpcRequest, ask func() rpcReply) rpcReply {
		if req.Method == "eth_sendRawTransaction" {
			return req.refuse(refusal)
		}
		return ask()
	}
}

// said runs a command line that must end with the exit code, and returns the error that
// it prints.
func (s *shell) said(code int, line string) string {
	s.t.Helper()
	got, errs := s.try(line)
	require.Equal(s.t, code, got, "%s: %s", line, errs)
	return errs
}

func (s *shell) deposited() *big.Int {
	s.t.Helper()
	return s.number(s.run(exitDone, "status"), "deposit")
}

// journal are the transactions of the journal, the newest nonce first.
func (s *shell) journal() []map[string]any {
	s.t.Helper()
	var list []map[string]any
	for _, entry := range s.run(exitDone, "tx list --all")["transactions"].([]any) {
		list = append(list, entry.(map[string]any))
	}
	return list
}

// TestARefusalIsNotTakenForNeverSent: a balancer gives a transaction to one node and the
// refusal of another. It is mined once, whatever the refusal says, and however it is
// retried.
func TestARefusalIsNotTakenForNeverSent(t *testing.T) {
	t.Parallel()
	for _, refusal := range refusals {
		for _, id := range []string{"", " --request-id once"} {
			for _, mined := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s%s, mined %v", refusal, id, mined), func(t *testing.T) {
					t.Parallel()
					s := newShell(t, devnet.Config{})
					require.NoError(t, s.net.SetAutomine(t.Context(), false))
					line := "fund --deposit 1gwei --yes" + id
					code, said := s.try(line + " --rpc-url " + newDishonest(t, s.net, balancer(refusal)))
					if mined {
						require.NoError(t, s.net.Mine(t.Context(), 1))
					}
					require.NoError(t, s.net.SetAutomine(t.Context(), true))
					s.run(exitDone, line)
					require.Equal(t, big.NewInt(1e9), s.deposited())
					require.Len(t, s.journal(), 1)
					require.Equal(t, exitFailed, code)
					require.Contains(t, said, "the node refused transaction "+s.journal()[0]["transaction_hash"].(string))
					require.Contains(t, said, refusal)
				})
			}
		}
	}
}

// TestARefusedTransactionBlocksNothing: another command takes the nonce of one that no
// node has taken, which gets another one once that is mined.
func TestARefusedTransactionBlocksNothing(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"", " --request-id first"} {
		s := newShell(t, devnet.Config{})
		url := newDishonest(t, s.net, refusing("the moon is in the wrong phase"))
		first := "fund --deposit 1gwei --yes" + id
		for range 2 {
			said := s.said(exitFailed, first+" --rpc-url "+url)
			require.Contains(t, said, "pass another node's --rpc-url")
			require.Contains(t, said, "nonce 0")
		}
		second := s.run(exitDone, "fund --deposit 2gwei --yes")
		earlier := second["earlier"].([]any)[0].(map[string]any)
		require.Equal(t, "refused", earlier["state"], "what may still be mined is named")
		require.Equal(t, "1000000000", earlier["value"])
		require.Equal(t, big.NewInt(2e9), s.deposited())

		s.run(exitDone, first)
		require.Equal(t, big.NewInt(3e9), s.deposited())
		require.EqualValues(t, 2, s.nonce())
		s.run(exitDone, "fund --deposit 4gwei --yes")
		require.Equal(t, big.NewInt(7e9), s.deposited())
	}
}

// TestWhatWasRefusedAndTakenHoldsItsNonce: the next command finds that a node has the
// refused transaction after all, and names it.
func TestWhatWasRefusedAndTakenHoldsItsNonce(t *testing.T) {
	t.Parallel()
	s := newShell(t, devnet.Config{})
	require.NoError(t, s.net.SetAutomine(t.Context(), false))
	s.said(exitFailed, "fund --deposit 1gwei --yes --rpc-url "+newDishonest(t, s.net, balancer("invalid sender")))
	require.Contains(t, s.said(exitLimit, "fund --deposit 2gwei --yes"), "which moves 1 gwei")
	s.run(exitDone, "fund --deposit 2gwei --yes --with-pending --no-wait")
	require.NoError(t, s.net.Mine(t.Context(), 1))
	require.Equal(t, big.NewInt(3e9), s.deposited())
}

// TestARefusalEndsWithItsRun: another run continues a request while the first one's node
// refuses. The request stays what it is, and is done once.
func TestARefusalEndsWithItsRun(t *testing.T) {
	t.Parallel()
	s := newShell(t, devnet.Config{})
	const line = "fund --deposit 1gwei --yes --request-id once"
	var second map[string]any
	url := newDishonest(t, s.net, func(req rpcRequest, ask func() rpcReply) rpcReply {
		switch req.Method {
		case "eth_sendRawTransaction":
			second = s.run(exitDone, line)
			return req.refuse("insufficient funds for gas * price + value")
		case "eth_getTransactionByHash", "eth_getTransactionReceipt":
			return req.answer("null")
		case "eth_getTransactionCount":
			return req.answer(`"0x0"`)
		}
		return ask()
	})
	s.said(exitNotMined, line+" --rpc-url "+url)
	require.Equal(t, second["transaction_hash"], s.run(exitDone, line)["transaction_hash"])
	require.Equal(t, big.NewInt(1e9), s.deposited())
	require.Len(t, s.journal(), 1)
}

// before runs do once, before the first request of a method is answered.
func before(method string, do func()) func(rpcRequest, func() rpcReply) rpcReply {
	var once sync.Once
	return func(req rpcRequest, ask func() rpcReply) rpcReply {
		if req.Method == method {
			once.Do(do)
		}
		return ask()
	}
}

// TestAWaitSeesWhatReplacesIt: while a command waits, another terminal pays more for its
// transaction, or cancels it. The command reports what happened.
func TestAWaitSeesWhatReplacesIt(t *testing.T) {
	t.Parallel()
	for _, replace := range []string{"bump", "cancel"} {
		t.Run(replace, func(t *testing.T) {
			t.Parallel()
			s := newShell(t, devnet.Config{})
			require.NoError(t, s.net.SetAutomine(t.Context(), false))
			var replacement map[string]any
			url := newDishonest(t, s.net, before("eth_getTransactionReceipt", func() {
				replacement = s.run(exitDone, fmt.Sprintf("tx %s %s --yes --no-wait", replace, s.journal()[0]["transaction_hash"]))
				require.NoError(t, s.net.Mine(t.Context(), 1))
			}))
			line := "fund --deposit 1gwei --yes --rpc-url " + url
			if replace == "bump" {
				hash := s.run(exitDone, line)["transaction_hash"]
				require.Equal(t, replacement["transaction_hash"], hash)
				require.Equal(t, "mined", s.journal()[0]["state"])
				require.Equal(t, big.NewInt(1e9), s.deposited())
				return
			}
			require.Contains(t, s.said(exitFailed, line), "it was cancelled: the empty transaction "+replacement["transaction_hash"].(string))
			require.Equal(t, "cancelled", s.journal()[0]["state"])
			require.Zero(t, s.deposited().Sign())
		})
	}
}

// TestAnExitWhoseWithdrawalIsBumped keeps what is to be kept.
func TestAnExitWhoseWithdrawalIsBumped(t *testing.T) {
	t.Parallel()
	s := newShell(t, devnet.Config{UnlockPeriod: 1})
	s.run(exitDone, "fund --deposit 1eth --yes")
	s.run(exitDone, "unlock --yes")
	require.NoError(t, s.net.NextRound(t.Context(), 2))
	require.NoError(t, s.net.SetAutomine(t.Context(), false))
	url := newDishonest(t, s.net, before("eth_getTransactionReceipt", func() {
		s.run(exitDone, fmt.Sprintf("tx bump %s --yes --no-wait", s.journal()[0]["transaction_hash"]))
		require.NoError(t, s.net.Mine(t.Context(), 1))
		require.NoError(t, s.net.SetAutomine(t.Context(), true))
	}))
	s.run(exitDone, "exit --yes --keep-deposit 0.25eth --rpc-url "+url)
	require.Equal(t, eth(t, "0.25eth"), s.deposited())
}

// hiding is a node that has a transaction's state, and does not show the transaction.
func hiding(req rpcRequest, ask func() rpcReply) rpcReply {
	reply := ask()
	switch {
	case req.Method == "eth_getTransactionReceipt", req.Method == "eth_getTransactionByHash":
		return req.answer("null")
	case req.Method == "eth_getBlockByNumber" && bytes.Contains(reply.Result, []byte(`"transactions"`)):
		var block map[string]any
		if json.Unmarshal(reply.Result, &block) == nil {
			block["transactions"] = []any{}
			reply.Result, _ = json.Marshal(block)
		}
	}
	return reply
}

// TestANodeThatHidesATransaction is ahead in its state and behind in its index: nothing
// is given up, and nothing is done twice.
func TestANodeThatHidesATransaction(t *testing.T) {
	t.Parallel()
	s := newShell(t, devnet.Config{})
	line := "fund --deposit 1gwei --yes"
	said := s.said(exitNotMined, line+" --timeout 20s --rpc-url "+newDishonest(t, s.net, hiding))
	require.Contains(t, said, "nonce 0 is used by a transaction that this node does not show")
	require.Equal(t, "open", s.journal()[0]["state"])
	s.run(exitDone, line)
	require.Equal(t, big.NewInt(1e9), s.deposited())
	require.Len(t, s.journal(), 1)
}

// TestAPendingNonceThatIsTooHigh: a node counts pending transactions that there are not.
func TestAPendingNonceThatIsTooHigh(t *testing.T) {
	t.Parallel()
	s := newShell(t, devnet.Config{})
	url := newDishonest(t, s.net, func(req rpcRequest, ask func() rpcReply) rpcReply {
		reply := ask()
		if req.Method == "eth_getTransactionCount" && string(req.Params[1]) == `"pending"` {
			var count hexutil.Uint64
			if json.Unmarshal(reply.Result, &count) == nil {
				return req.answer(fmt.Sprintf(`"%#x"`, uint64(count)+3))
			}
		}
		return reply
	})
	line := "fund --deposit 1gwei --yes --timeout 20s --rpc-url " + url
	said := s.said(exitLimit, line)
	require.Contains(t, said, "the node counts 3 pending transactions of the account from nonce 0 on, which pmctl did not sign")
	require.Contains(t, said, "--replace-unknown")
	require.Empty(t, s.journal())
	s.run(exitDone, line+" --replace-unknown")
	require.Equal(t, big.NewInt(1e9), s.deposited())
	require.Equal(t, 0.0, s.journal()[0]["nonce"])
}

// TestEarlierTransactionsAreNamed: a node swallows a large transaction. No smaller one
// brings it along without a word.
func TestEarlierTransactionsAreNamed(t *testing.T) {
	t.Parallel()
	s := newShell(t, devnet.Config{})
	url := newDishonest(t, s.net, func(req rpcRequest, ask func() rpcReply) rpcReply {
		if req.Method == "eth_sendRawTransaction" {
			return req.answer(`"0x` + strings.Repeat("00", 32) + `"`)
		}
		return ask()
	})
	s.said(exitNotMined, "fund --deposit 5eth --yes --timeout 5s --rpc-url "+url)
	large := s.journal()[0]["transaction_hash"].(string)

	const small = "fund --deposit 0.1eth --yes --timeout 20s"
	said := s.said(exitLimit, small)
	require.Contains(t, said, large+" with nonce 0, which moves 5 ETH")
	require.Contains(t, said, "pmctl tx wait "+large)
	require.Contains(t, said, "--with-pending")
	require.Zero(t, s.deposited().Sign())
	require.Len(t, s.journal(), 1)

	result := s.run(exitDone, small+" --with-pending")
	require.Equal(t, eth(t, "5.1eth"), s.deposited())
	require.Equal(t, []any{map[string]any{
		"transaction_hash": large, "nonce": 0.0, "description": "fund 5 ETH of deposit", "value": "5000000000000000000", "state": "mined",
	}}, result["earlier"])
	for _, entry := range s.journal() {
		require.Equal(t, "mined", entry["state"])
	}
}

// TestAWaitSendsNothingElse: to wait for a transaction sends no other one again.
func TestAWaitSendsNothingElse(t *testing.T) {
	t.Parallel()
	s := newShell(t, devnet.Config{})
	swallows := true
	url := newDishonest(t, s.net, func(req rpcRequest, ask func() rpcReply) rpcReply {
		if swallows && req.Method == "eth_sendRawTransaction" {
			return req.answer(`"0x` + strings.Repeat("00", 32) + `"`)
		}
		return ask()
	})
	s.said(exitNotMined, "fund --deposit 5eth --yes --timeout 5s --rpc-url "+url)
	s.said(exitNotMined, "fund --deposit 1gwei --yes --with-pending --timeout 5s --rpc-url "+url)
	newest := s.journal()[0]["transaction_hash"].(string)
	said := s.said(exitNotMined, fmt.Sprintf("tx wait %s --timeout %s", newest, 4*time.Second))
	require.Contains(t, said, "which moves 5 ETH (fund 5 ETH of deposit) must be mined first")
	require.Zero(t, s.deposited().Sign())
	s.run(exitDone, "tx wait "+newest+" --with-pending")
	require.Equal(t, new(big.Int).Add(eth(t, "5eth"), big.NewInt(1e9)), s.deposited())
}

// TestDoctorSaysWhyATransactionWaits, and proposes to pay more where that helps alone.
func TestDoctorSaysWhyATransactionWaits(t *testing.T) {
	t.Parallel()
	s := newShell(t, devnet.Config{})
	swallowing := newDishonest(t, s.net, func(req rpcRequest, ask func() rpcReply) rpcReply {
		if req.Method == "eth_sendRawTransaction" {
			return req.answer(`"0x` + strings.Repeat("00", 32) + `"`)
		}
		return ask()
	})
	finding := func() string {
		t.Helper()
		_, out, _ := s.printed("doctor")
		var document struct {
			Data struct{ Checks []map[string]any }
		}
		require.NoError(t, json.Unmarshal([]byte(out), &document))
		for _, check := range document.Data.Checks {
			if check["id"] == "transactions" {
				text, err := json.Marshal(check)
				require.NoError(t, err)
				return string(text)
			}
		}
		t.Fatal("no such check: " + out)
		return ""
	}

	s.said(exitNotMined, "fund --deposit 1gwei --yes --timeout 5s --rpc-url "+swallowing)
	first := s.journal()[0]["transaction_hash"].(string)
	found := finding()
	require.Contains(t, found, "the node does not have it")
	require.Contains(t, found, "pmctl tx wait "+first)
	require.NotContains(t, found, "tx bump")

	// The second one waits behind one that no node has taken.
	s.run(exitDone, "fund --deposit 2gwei --yes --with-pending --no-wait")
	said := s.said(exitFailed, fmt.Sprintf("tx wait %s --timeout 10s --rpc-url %s", first, newDishonest(t, s.net, refusing("the moon is in the wrong phase"))))
	require.Contains(t, said, "the node refused transaction "+first)
	found = finding()
	require.Contains(t, found, "a transaction with nonce 0 must be mined first")
	require.NotContains(t, found, "tx bump")

	// The next command that sends fills the gap.
	s.run(exitDone, "fund --deposit 4gwei --yes --with-pending")
	s.run(exitDone, "fund --deposit 2gwei --yes --request-id another --with-pending")
	require.Contains(t, finding(), "none are open")

	require.NoError(t, s.net.SetAutomine(t.Context(), false))
	s.run(exitDone, "fund --deposit 8gwei --yes --no-wait")
	found = finding()
	require.Contains(t, found, "its gas price suffices")
	require.NotContains(t, found, "tx bump")
}

// printed runs a command line, and returns its exit code and what it printed.
func (s *shell) printed(line string) (code int, out, errs string) {
	s.t.Helper()
	var stdout, stderr bytes.Buffer
	code = Main(s.t.Context(), append(strings.Fields(line), "--output", "json"), &Env{
		In: strings.NewReader(""), Out: &stdout, Err: &stderr, Now: time.Now,
		Getenv: func(name string) string { return s.env[name] },
	})
	return code, stdout.String(), stderr.String()
}

// TestTheSameIsAskedForTwice, and refused both times: with the same nonce and price it would
// be one transaction, of which each request takes what is mined for its own.
func TestTheSameIsAskedForTwice(t *testing.T) {
	t.Parallel()
	s := newShell(t, devnet.Config{})
	refusing := newDishonest(t, s.net, func(req rpcRequest, ask func() rpcReply) rpcReply {
		if req.Method == "eth_sendRawTransaction" {
			return req.refuse("the moon is in the wrong phase")
		}
		return ask()
	})
	const line = "fund --deposit 1gwei --yes"
	s.said(exitFailed, line+" --rpc-url "+refusing)
	s.said(exitFailed, line+" --request-id again --rpc-url "+refusing)
	s.run(exitDone, line+" --request-id again")
	require.Equal(t, eth(t, "1gwei"), s.deposited())
	s.run(exitDone, line)
	require.Equal(t, eth(t, "2gwei"), s.deposited())
}
