//go:build !nomocks

package pm

import (
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/mock"
)

// MockSender is a mock of ResumableSender: set its answers with On and Return.
type MockSender struct{ mock.Mock }

// StartSession is Sender.StartSession.
func (m *MockSender) StartSession(ticketParams TicketParams) string {
	return m.Called(ticketParams).String(0)
}

// CreateTicketBatch is Sender.CreateTicketBatch.
func (m *MockSender) CreateTicketBatch(sessionID string, size int) (*TicketBatch, error) {
	args := m.Called(sessionID, size)
	return answer[*TicketBatch](args, 0), args.Error(1)
}

// ValidateTicketParams is Sender.ValidateTicketParams.
func (m *MockSender) ValidateTicketParams(ticketParams *TicketParams) error {
	return m.Called(ticketParams).Error(0)
}

// EV is Sender.EV.
func (m *MockSender) EV(sessionID string) (*big.Rat, error) {
	args := m.Called(sessionID)
	return answer[*big.Rat](args, 0), args.Error(1)
}

// StartSessionWithNonce is ResumableSender.StartSessionWithNonce.
func (m *MockSender) StartSessionWithNonce(ticketParams TicketParams, nonce uint32) string {
	return m.Called(ticketParams, nonce).String(0)
}

// CleanupSession is ResumableSender.CleanupSession.
func (m *MockSender) CleanupSession(sessionID string) { m.Called(sessionID) }

// Nonce is ResumableSender.Nonce.
func (m *MockSender) Nonce(sessionID string) (uint32, error) {
	args := m.Called(sessionID)
	return answer[uint32](args, 0), args.Error(1)
}

// MockRecipient is a mock of Recipient: set its answers with On and Return.
type MockRecipient struct{ mock.Mock }

// Start records the call.
func (m *MockRecipient) Start() { m.Called() }

// Stop records the call.
func (m *MockRecipient) Stop() { m.Called() }

// ReceiveTicket is Recipient.ReceiveTicket.
func (m *MockRecipient) ReceiveTicket(ticket *Ticket, sig []byte, seed *big.Int) (sessionID string, won bool, err error) {
	args := m.Called(ticket, sig, seed)
	return args.String(0), args.Bool(1), args.Error(2)
}

// RedeemWinningTicket is Recipient.RedeemWinningTicket.
func (m *MockRecipient) RedeemWinningTicket(ticket *Ticket, sig []byte, seed *big.Int) error {
	return m.Called(ticket, sig, seed).Error(0)
}

// RedeemWinningTickets records the call.
func (m *MockRecipient) RedeemWinningTickets(sessionIDs []string) error {
	return m.Called(sessionIDs).Error(0)
}

// TicketParams is Recipient.TicketParams.
func (m *MockRecipient) TicketParams(sender common.Address, price *big.Rat) (*TicketParams, error) {
	args := m.Called(sender, price)
	return answer[*TicketParams](args, 0), args.Error(1)
}

// TxCostMultiplier is Recipient.TxCostMultiplier.
func (m *MockRecipient) TxCostMultiplier(sender common.Address) (*big.Rat, error) {
	args := m.Called(sender)
	return answer[*big.Rat](args, 0), args.Error(1)
}

// EV is Recipient.EV.
func (m *MockRecipient) EV() *big.Rat { return answer[*big.Rat](m.Called(), 0) }

// SetMaxFaceValue is Recipient.SetMaxFaceValue.
func (m *MockRecipient) SetMaxFaceValue(maxfacevalue *big.Int) { m.Called(maxfacevalue) }

// answer returns the i-th answer, which may be nil.
func answer[T any](args mock.Arguments, i int) (v T) {
	if args.Get(i) != nil {
		v = args.Get(i).(T)
	}
	return v
}
