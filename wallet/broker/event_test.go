package broker

import (
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/contract"
)

var (
	at     = common.Address{0xb0}
	sender = common.Address{0xaa}
)

// logOf is an event about the sender with these words as its data.
func logOf(name string, words ...int64) *types.Log {
	event := contract.NewTicketBroker().GetABI().Events[name]
	log := &types.Log{Address: at, Topics: []common.Hash{event.ID}}
	for _, input := range event.Inputs {
		if input.Indexed {
			log.Topics = append(log.Topics, common.BytesToHash(sender[:]))
		}
	}
	for _, word := range words {
		log.Data = append(log.Data, common.BigToHash(big.NewInt(word)).Bytes()...)
	}
	return log
}

// TestEveryEventIsRead: there is none of the contract's that this program does not know, and
// none that it takes without what belongs into it. The bindings read an event without any
// data as one whose numbers are nil.
func TestEveryEventIsRead(t *testing.T) {
	events := contract.NewTicketBroker().GetABI().Events
	require.Len(t, events, 8)
	for name, kind := range events {
		words := make([]int64, len(kind.Inputs.NonIndexed()))
		if name == contract.TicketBrokerWinningTicketRedeemedEventName {
			words = []int64{1, 2, 3, 4, 160, 0}
		}
		read, err := Decode(logOf(name, words...))
		require.NoError(t, err, name)
		require.Equal(t, name, read.ContractEventName())
		require.Equal(t, sender, SenderOf(*logOf(name)))
		require.Contains(t, Filter(sender)[0], kind.ID)

		if len(words) > 0 {
			_, err = Decode(logOf(name))
			require.ErrorIs(t, err, ErrEvent, name)
			require.Empty(t, Events(at, []*types.Log{logOf(name)}), name)
		}
		short := logOf(name, words...)
		short.Topics = short.Topics[:1]
		_, err = Decode(short)
		require.ErrorIs(t, err, ErrEvent, name)
	}
	for _, log := range []*types.Log{{}, {Topics: []common.Hash{{1}, {2}}}} {
		_, err := Decode(log)
		require.ErrorIs(t, err, ErrEvent)
		require.Zero(t, SenderOf(*log))
	}
}

// TestEventsForPeople are those of the calls that pmctl makes, and of these the named ones.
func TestEventsForPeople(t *testing.T) {
	logs := []*types.Log{
		logOf("DepositFunded", 5), logOf("ReserveFunded", 6), logOf("Unlock", 7, 8), logOf("UnlockCancelled"), logOf("Withdrawal", 9, 10),
		logOf("WinningTicketTransfer", 1), logOf("ReserveClaimed", 1, 1), logOf("WinningTicketRedeemed", 1, 2, 3, 4, 160, 0),
	}
	var names []string
	for _, e := range Events(at, logs) {
		names = append(names, e.Name)
		require.Equal(t, sender.Hex(), e.Fields["sender"], e.Name)
		require.NotEmpty(t, e.String())
	}
	require.Equal(t, []string{"DepositFunded", "ReserveFunded", "Unlock", "UnlockCancelled", "Withdrawal", "WinningTicketRedeemed"}, names)

	unlocked := Events(at, logs, contract.TicketBrokerUnlockEventName)
	require.Equal(t, []Event{{
		Name: "Unlock", Fields: map[string]string{"sender": sender.Hex(), "start_round": "7", "withdraw_round": "8"},
		text: "unlocking since round 7; withdraw from round 8",
	}}, unlocked)
	require.Empty(t, Events(common.Address{1}, logs), "another contract's")
}

// TestFundingByEvents: a funding is what the events of this contract about this sender add up to.
func TestFundingByEvents(t *testing.T) {
	f := Funding{Sender: sender, Deposit: big.NewInt(5), Reserve: big.NewInt(6)}
	deposit, reserve := logOf("DepositFunded", 5), logOf("ReserveFunded", 6)
	require.NoError(t, f.CheckEvents(at, common.Hash{1}, []*types.Log{deposit, reserve, logOf("UnlockCancelled")}))

	others, elsewhere := logOf("DepositFunded", 5), logOf("DepositFunded", 5)
	others.Topics[1], elsewhere.Address = common.Hash{31: 1}, common.Address{1}
	for name, logs := range map[string][]*types.Log{
		"nothing":               nil,
		"half of it":            {reserve},
		"another sender's":      {others, reserve},
		"another contract's":    {elsewhere, reserve},
		"twice":                 {deposit, deposit, reserve},
		"an event without data": {logOf("DepositFunded"), reserve},
	} {
		var wrong *FundingError
		require.ErrorAs(t, f.CheckEvents(at, common.Hash{1}, logs), &wrong, name)
		require.True(t, wrong.Events)
	}
}
