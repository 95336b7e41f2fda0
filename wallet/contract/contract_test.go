package contract_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/contract"
	"github.com/pmctl/pmctl/wallet/devnet/contracts"
)

var bindings = map[string]*bind.MetaData{
	contracts.BondingManager:  &contract.BondingManagerMetaData,
	contracts.Controller:      &contract.ControllerMetaData,
	contracts.RoundsManager:   &contract.RoundsManagerMetaData,
	contracts.ServiceRegistry: &contract.ServiceRegistryMetaData,
	contracts.TicketBroker:    &contract.TicketBrokerMetaData,
}

// TestGenerated: every interface file has an up-to-date binding.
func TestGenerated(t *testing.T) {
	files, err := filepath.Glob("abi/*.json")
	require.NoError(t, err)
	require.Len(t, files, len(bindings))
	for _, file := range files {
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		require.Contains(t, bindings, name)
		// The generator leaves out all white space.
		text := strings.Join(strings.Fields(string(raw)), "")
		require.True(t, text == bindings[name].ABI, "%s has changed since its binding was made: run make gen", file)
	}
}

// ticket is a ticket's type in signatures.
const ticket = "(address,address,uint256,uint256,uint256,bytes32,bytes)"

// TestSignatures pins the signatures of selectors and topics.
func TestSignatures(t *testing.T) {
	for name, want := range map[string][]string{
		contracts.TicketBroker: {
			"fundDeposit()", "fundReserve()", "fundDepositAndReserve(uint256,uint256)",
			"fundDepositAndReserveFor(address,uint256,uint256)", "unlock()", "cancelUnlock()", "withdraw()",
			"redeemWinningTicket(" + ticket + ",bytes,uint256)",
			"batchRedeemWinningTickets(" + ticket + "[],bytes[],uint256[])",
			"getSenderInfo(address)", "isUnlockInProgress(address)", "unlockPeriod()", "ticketValidityPeriod()",
			"usedTickets(bytes32)", "claimableReserve(address,address)", "claimedReserve(address,address)",
			"getTicketHash(" + ticket + ")",
			"DepositFunded(address,uint256)", "ReserveFunded(address,uint256)", "Unlock(address,uint256,uint256)",
			"UnlockCancelled(address)", "Withdrawal(address,uint256,uint256)",
			"WinningTicketRedeemed(address,address,uint256,uint256,uint256,uint256,bytes)",
			"WinningTicketTransfer(address,address,uint256)", "ReserveClaimed(address,address,uint256)",
		},
		contracts.Controller: {"getContract(bytes32)", "paused()"},
		contracts.RoundsManager: {
			"currentRound()", "lastInitializedRound()", "currentRoundInitialized()", "blockHashForRound(uint256)",
			"currentRoundStartBlock()", "roundLength()", "blockNum()", "NewRound(uint256,bytes32)",
		},
		contracts.BondingManager: {
			"isActiveTranscoder(address)", "getTranscoderPoolSize()", "getFirstTranscoderInPool()", "getNextTranscoderInPool(address)",
		},
		contracts.ServiceRegistry: {"getServiceURI(address)"},
	} {
		parsed, err := bindings[name].ParseABI()
		require.NoError(t, err)
		var got []string
		for _, method := range parsed.Methods {
			got = append(got, method.Sig)
		}
		for _, event := range parsed.Events {
			got = append(got, event.Sig)
		}
		slices.Sort(got)
		slices.Sort(want)
		require.Equal(t, want, got, name)
	}
}

// TestLocalContractsHaveTheInterface compares the interfaces with what the compiler
// says of the local network's contracts: names, types, which arguments of an event
// are indexed, and which functions take ether or change nothing.
func TestLocalContractsHaveTheInterface(t *testing.T) {
	compiled, err := contracts.Load()
	require.NoError(t, err)
	for name, binding := range bindings {
		want, err := binding.ParseABI()
		require.NoError(t, err)
		got := compiled.Contracts[name].ABI
		for _, method := range want.Methods {
			local, ok := got.Methods[method.Name]
			require.True(t, ok, "%s.%s", name, method.Name)
			require.Equal(t, method.ID, local.ID, "%s.%s", name, method.Name)
			require.Equal(t, method.IsPayable(), local.IsPayable(), "%s.%s", name, method.Name)
			require.Equal(t, method.IsConstant(), local.IsConstant(), "%s.%s", name, method.Name)
			require.Equal(t, types(method.Outputs), types(local.Outputs), "%s.%s", name, method.Name)
		}
		for _, event := range want.Events {
			local, ok := got.Events[event.Name]
			require.True(t, ok, "%s.%s", name, event.Name)
			require.Equal(t, event.ID, local.ID, "%s.%s", name, event.Name)
			for i, input := range event.Inputs {
				require.Equal(t, input.Indexed, local.Inputs[i].Indexed, "%s.%s argument %d", name, event.Name, i)
			}
		}
	}
}

func types(arguments abi.Arguments) []string {
	var list []string
	for _, a := range arguments {
		list = append(list, a.Type.String())
	}
	return list
}

// TestShortAnswers: an answer of a wrong length must not panic.
func TestShortAnswers(t *testing.T) {
	broker, controller := contract.NewTicketBroker(), contract.NewController()
	for n := range 4 * 32 {
		answer := make([]byte, n)
		if n < 32 {
			_, err := controller.UnpackPaused(answer)
			require.Error(t, err, n)
			_, err = controller.UnpackGetContract(answer)
			require.Error(t, err, n)
		}
		_, err := broker.UnpackGetSenderInfo(answer)
		require.Error(t, err, n)
	}
}

// TestRevertHintsMoveNoMoney: unlock and withdraw, which fail like this, are for users who want to
// take out what they have, and unlock cancel for one whose funds are to be locked.
func TestRevertHintsMoveNoMoney(t *testing.T) {
	for reason, hint := range map[error]string{
		contract.ErrNoFunds:      "there is nothing to unlock or to withdraw before pmctl fund has added a deposit or a reserve",
		contract.ErrNotUnlocking: "deposit and reserve are locked: pmctl unlock starts the unlock period, and pmctl withdraw pays out after it",
	} {
		require.Equal(t, hint, (&contract.RevertError{Reason: reason.Error()}).Hint())
	}
}
