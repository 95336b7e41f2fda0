package pm

import (
	"math/big"
	"testing"
)

func TestMockSender(t *testing.T) {
	m := new(MockSender)
	params, batch := testParams(), new(TicketBatch)
	m.On("StartSession", *params).Return("id")
	m.On("CreateTicketBatch", "id", 2).Return(batch, nil)
	m.On("CreateTicketBatch", "no", 2).Return(nil, ErrUnknownSession)
	m.On("ValidateTicketParams", params).Return(ErrNoExpirationBlock)
	m.On("EV", "id").Return(big.NewRat(1, 3), nil)
	m.On("StartSessionWithNonce", *params, uint32(7)).Return("id")
	m.On("CleanupSession", "id").Return()
	m.On("Nonce", "id").Return(uint32(8), ErrUnknownSession)
	if id := m.StartSessionWithNonce(*params, 7); id != "id" {
		t.Errorf("id is %s", id)
	}
	m.CleanupSession("id")
	if nonce, err := m.Nonce("id"); nonce != 8 || err != ErrUnknownSession {
		t.Errorf("nonce is %d, %v", nonce, err)
	}
	if id := m.StartSession(*params); id != "id" {
		t.Errorf("id is %s", id)
	}
	if got, err := m.CreateTicketBatch("id", 2); got != batch || err != nil {
		t.Errorf("batch is %v, %v", got, err)
	}
	if got, err := m.CreateTicketBatch("no", 2); got != nil || err != ErrUnknownSession {
		t.Errorf("batch is %v, %v", got, err)
	}
	if err := m.ValidateTicketParams(params); err != ErrNoExpirationBlock {
		t.Errorf("error is %v", err)
	}
	if ev, err := m.EV("id"); err != nil || ev.RatString() != "1/3" {
		t.Errorf("EV is %v, %v", ev, err)
	}
	m.AssertExpectations(t)
}

func TestMockRecipient(t *testing.T) {
	m := new(MockRecipient)
	ticket, params, sender, price, seed := new(Ticket), testParams(), RandAddress(), big.NewRat(2, 1), big.NewInt(4)
	m.On("Start").Return()
	m.On("Stop").Return()
	m.On("ReceiveTicket", ticket, []byte{1}, seed).Return("id", true, ErrTicketParamsExpired)
	m.On("RedeemWinningTicket", ticket, []byte{1}, seed).Return(ErrNotWinning)
	m.On("RedeemWinningTickets", []string{"id"}).Return(nil)
	m.On("TicketParams", sender, price).Return(params, nil)
	m.On("TxCostMultiplier", sender).Return(nil, ErrInsufficientSenderReserve)
	m.On("EV").Return(big.NewRat(5, 1))
	m.On("SetMaxFaceValue", seed).Return()
	m.Start()
	m.Stop()
	if id, won, err := m.ReceiveTicket(ticket, []byte{1}, seed); id != "id" || !won || err != ErrTicketParamsExpired {
		t.Errorf("received %s, %v, %v", id, won, err)
	}
	if err := m.RedeemWinningTicket(ticket, []byte{1}, seed); err != ErrNotWinning {
		t.Errorf("error is %v", err)
	}
	if err := m.RedeemWinningTickets([]string{"id"}); err != nil {
		t.Error(err)
	}
	if got, err := m.TicketParams(sender, price); got != params || err != nil {
		t.Errorf("params are %v, %v", got, err)
	}
	if got, err := m.TxCostMultiplier(sender); got != nil || err != ErrInsufficientSenderReserve {
		t.Errorf("multiplier is %v, %v", got, err)
	}
	if got := m.EV(); got.RatString() != "5" {
		t.Errorf("EV is %v", got)
	}
	m.SetMaxFaceValue(seed)
	m.AssertExpectations(t)
}
