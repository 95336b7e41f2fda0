package model

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/pmctl/pmctl/wallet/contract"
)

// check compares pmctl's reports, and the user's wants, with the chain.
func (w *world) check() error {
	return errors.Join(w.checkOnce(), w.checkReports(), w.checkWei(), w.checkJournal())
}

// onChain are the account's transactions in blocks, in order.
func (w *world) onChain() (list []*types.Transaction) {
	for _, b := range w.ledger.blocks[1:] {
		list = append(list, b.txs...)
	}
	return list
}

func (w *world) succeeded(hash common.Hash) bool {
	receipt := w.ledger.mined[hash]
	return receipt != nil && receipt.Status == types.ReceiptStatusSuccessful
}

// funded counts the fundings on the chain.
func (w *world) funded() map[funding]int {
	counts := map[funding]int{}
	for _, tx := range w.onChain() {
		if f, ok := w.suite.origin.funding(tx); ok && w.succeeded(tx.Hash()) {
			counts[f]++
		}
	}
	return counts
}

// checkOnce checks that each thing that the user wanted was done at most once, exactly once if
// pmctl reported that, and never if pmctl reported that it was not done.
func (w *world) checkOnce() error {
	counts := w.funded()
	for f := range counts {
		if !slices.ContainsFunc(w.wants, func(v *want) bool { return v.funding() == f }) {
			return fmt.Errorf("%d funding(s) of %v, that no run sent", counts[f], f)
		}
	}
	for _, v := range w.wants {
		f := v.funding()
		if f == (funding{}) {
			continue
		}
		least, most := 0, 0
		for _, other := range w.wants {
			if other.funding() != f {
				continue
			}
			switch {
			case other.end == done:
				least, most = least+1, most+1
			case other.end == gaveUp || other.exit:
				most++
			}
			most += w.acknowledged // an older copy may lack it and do it again
		}
		if w.acknowledged > 0 {
			least = min(least, 1) // an open one may be taken for another's
		}
		if got := counts[f]; got < least || got > most {
			return fmt.Errorf("%s (%s) is on the chain %d times, and must be %d to %d times", v.name, v.line, got, least, most)
		}
	}
	return nil
}

func (v *want) funding() funding { return funding{v.deposit, v.reserve} }

// checkReports checks that no command's report contradicts the chain: what it reports as mined was
// then, not only in the end.
func (w *world) checkReports() error {
	for _, c := range w.history {
		if c.out.Len() == 0 || c.dead {
			continue
		}
		r, err := c.result()
		if err != nil {
			return fmt.Errorf("%s printed no document: %w", c.name, err)
		}
		reports := []transacted{r}
		if len(r.Steps) > 0 {
			reports = nil
			for _, s := range r.Steps {
				reports = append(reports, s.Transaction)
			}
		}
		for _, r := range reports {
			if r.Hash != (common.Hash{}) && (!w.succeeded(r.Hash) || w.ledger.mined[r.Hash].BlockNumber.Int64() > c.block) {
				return fmt.Errorf("%s (%s) reports that %s is mined, but it is not", c.name, c.line, r.Hash)
			}
			f, _ := w.suite.origin.funding(w.ledger.sent[r.Hash])
			if c.want != nil && !c.want.exit && f != c.want.funding() {
				return fmt.Errorf("%s (%s) reports %s, which is another transaction", c.name, c.line, r.Hash)
			}
			if tx := w.ledger.sent[r.Hash]; r.Cancelled && tx != nil && len(tx.Data()) > 0 {
				return fmt.Errorf("%s (%s) reports a cancellation, but %s is the call", c.name, c.line, r.Hash)
			}
		}
	}
	return nil
}

// checkWei checks that the broker's balance is what the fundings on the chain say, less what
// was withdrawn.
func (w *world) checkWei() error {
	want := new(big.Int).SetInt64(initialDeposit)
	broker := contract.NewTicketBroker()
	for _, tx := range w.onChain() {
		receipt := w.ledger.mined[tx.Hash()]
		for _, log := range receipt.Logs {
			if e, err := broker.UnpackWithdrawalEvent(log); err == nil {
				want.Sub(want, e.Deposit)
				want.Sub(want, e.Reserve)
			}
		}
		if f, ok := w.suite.origin.funding(tx); ok && w.succeeded(tx.Hash()) {
			want.Add(want, big.NewInt(f.deposit+f.reserve))
		}
	}
	got, err := w.held()
	if err == nil && got.Cmp(want) != 0 {
		err = fmt.Errorf("the broker holds %v wei of the account, but %v are accounted for", got, want)
	}
	return err
}

// held is the account's deposit and reserve at the newest block.
func (w *world) held() (*big.Int, error) {
	broker := contract.NewTicketBroker()
	to := w.suite.origin.contracts["TicketBroker"]
	result, err := w.ledger.call(w.ledger.tip(), message{
		to: &to, value: new(big.Int), data: broker.PackGetSenderInfo(w.suite.origin.account.Address), gas: maxCallGas,
	})
	if err != nil {
		return nil, err
	}
	info, err := broker.UnpackGetSenderInfo(result.Return())
	if err != nil {
		return nil, err
	}
	return new(big.Int).Add(info.Sender.Deposit, info.Reserve.FundsRemaining), nil
}

// entry is a transaction of the journal, as pmctl tx list shows it.
type entry struct {
	Hash      common.Hash `json:"transaction_hash"`
	Nonce     uint64
	What      string `json:"description"`
	RequestID string `json:"request_id"`
	State     string
	Attempts  []struct {
		Hash common.Hash `json:"transaction_hash"`
	}
}

func (e entry) hashes() (list []common.Hash) {
	for _, a := range e.Attempts {
		list = append(list, a.Hash)
	}
	return list
}

// checkJournal checks that the journal's transactions agree with the chain, and that no two
// have the same mined nonce, or request ID.
func (w *world) checkJournal() error {
	c := w.start("tx list --all", "any", true)
	w.finish(c)
	var document struct {
		Data struct{ Transactions []entry }
	}
	if err := json.Unmarshal(c.out.Bytes(), &document); err != nil {
		return fmt.Errorf("the journal cannot be read: exit code %d, %s: %w", c.code, c.message(), err)
	}
	nonces, ids := map[uint64]entry{}, map[string]entry{}
	for _, e := range document.Data.Transactions {
		mined := slices.IndexFunc(e.hashes(), func(h common.Hash) bool { return w.ledger.mined[h] != nil })
		switch e.State {
		case "mined", "cancelled", "reverted":
			if other, twice := nonces[e.Nonce]; twice {
				return fmt.Errorf("the journal has two transactions mined with nonce %d: %s and %s", e.Nonce, other.What, e.What)
			}
			nonces[e.Nonce] = e
			if mined < 0 {
				return fmt.Errorf("the journal has %s (%s) as %s, but the chain does not", e.Hash, e.What, e.State)
			}
		case "lost":
			if mined >= 0 {
				return fmt.Errorf("the journal has %s (%s) as lost, but it is mined", e.Attempts[mined].Hash, e.What)
			}
		}
		if e.RequestID != "" {
			if other, twice := ids[e.RequestID]; twice {
				return fmt.Errorf("request ID %s is used twice: %s and %s", e.RequestID, other.What, e.What)
			}
			ids[e.RequestID] = e
		}
	}
	return nil
}

// describe names what a transaction does.
func (o *origin) describe(tx *types.Transaction) string {
	if f, ok := o.funding(tx); ok {
		return fmt.Sprintf("fund %d+%d", f.deposit, f.reserve)
	}
	if len(tx.Data()) == 0 {
		return "nothing"
	}
	return map[string]string{
		string(contract.NewTicketBroker().PackUnlock()):       "unlock",
		string(contract.NewTicketBroker().PackCancelUnlock()): "unlock cancel",
		string(contract.NewTicketBroker().PackWithdraw()):     "withdraw",
	}[string(tx.Data())]
}

// funding reads what a transaction adds to deposit and reserve.
func (o *origin) funding(tx *types.Transaction) (funding, bool) {
	if tx == nil {
		return funding{}, false
	}
	const selector, word = 4, 32
	data := tx.Data()
	example := contract.NewTicketBroker().PackFundDepositAndReserve(new(big.Int), new(big.Int))
	if len(data) != selector+2*word || !slices.Equal(data[:selector], example[:selector]) {
		return funding{}, false
	}
	return fundingOf(new(big.Int).SetBytes(data[selector:selector+word]), new(big.Int).SetBytes(data[selector+word:])), true
}
