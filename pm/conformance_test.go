package pm

import (
	"context"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/accounts"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/event"
	"github.com/stretchr/testify/mock"
)

// This file checks at compile time that every documented identifier has its documented type. It
// is in the package for the unexported type in RedeemableEmitter.

var _ *error = &ErrTicketParamsExpired

var (
	_ func() common.Address        = RandAddress
	_ func(size uint) []byte       = RandBytes
	_ func() common.Hash           = RandHash
	_ func(error) *FatalReceiveErr = NewFatalReceiveErr

	_ func(*LocalSenderMonitorConfig, Broker, SenderManager, TimeManager, TicketStore) *LocalSenderMonitor = NewSenderMonitor

	_ func(common.Address, Broker, Validator, GasPriceMonitor, SenderMonitor, TimeManager, TicketParamsConfig) (Recipient, error)  = NewRecipient
	_ func(common.Address, Broker, Validator, GasPriceMonitor, SenderMonitor, TimeManager, [32]byte, TicketParamsConfig) Recipient = NewRecipientWithSecret
	_ func(Signer, TimeManager, SenderManager, *big.Rat, *big.Rat, int) Sender                                                     = NewSender
	_ func(*TicketParams, *TicketExpirationParams, common.Address, uint32) *Ticket                                                 = NewTicket
	_ func(SigVerifier, TimeManager) Validator                                                                                     = NewValidator
)

// Methods of concrete types.
var (
	_ func(*Ticket) []byte                                           = (*Ticket).AuxData
	_ func(*Ticket) *big.Rat                                         = (*Ticket).EV
	_ func(*Ticket) common.Hash                                      = (*Ticket).Hash
	_ func(*Ticket) *big.Rat                                         = (*Ticket).WinProbRat
	_ func(*TicketBatch) []*Ticket                                   = (*TicketBatch).Tickets
	_ func(*TicketExpirationParams) []byte                           = (*TicketExpirationParams).AuxData
	_ func(*TicketParams) *big.Rat                                   = (*TicketParams).WinProbRat
	_ func(*DefaultSigVerifier, common.Address, []byte, []byte) bool = (*DefaultSigVerifier).Verify

	_ func(*LocalSenderMonitor)                                                     = (*LocalSenderMonitor).Start
	_ func(*LocalSenderMonitor)                                                     = (*LocalSenderMonitor).Stop
	_ func(*LocalSenderMonitor, common.Address) (*big.Int, error)                   = (*LocalSenderMonitor).MaxFloat
	_ func(*LocalSenderMonitor, *SignedTicket) error                                = (*LocalSenderMonitor).QueueTicket
	_ func(*LocalSenderMonitor, common.Address, chan<- struct{}) event.Subscription = (*LocalSenderMonitor).SubscribeMaxFloatChange
	_ func(*LocalSenderMonitor, common.Address) error                               = (*LocalSenderMonitor).ValidateSender
)

// The documented implementations.
var (
	_ error         = ErrSenderValidation{}
	_ error         = (*ErrSenderValidation)(nil)
	_ error         = FatalReceiveErr{}
	_ error         = (*FatalReceiveErr)(nil)
	_ SigVerifier   = (*DefaultSigVerifier)(nil)
	_ SenderMonitor = (*LocalSenderMonitor)(nil)
	_ Sender        = (*MockSender)(nil)
	_ Sender        = ResumableSender(nil)
	_ Recipient     = (*MockRecipient)(nil)

	_ RedeemableEmitter = (*ticketQueue)(nil)
)

// The mocks' methods beyond the interfaces.
var _ interface {
	Start()
	Stop()
	RedeemWinningTickets(sessionIDs []string) error
} = (*MockRecipient)(nil)

// Interfaces are assigned in both directions: neither has a method more or less.
type (
	broker interface {
		FundDepositAndReserve(depositAmount, reserveAmount *big.Int) (*types.Transaction, error)
		FundDeposit(amount *big.Int) (*types.Transaction, error)
		FundReserve(amount *big.Int) (*types.Transaction, error)
		Unlock() (*types.Transaction, error)
		CancelUnlock() (*types.Transaction, error)
		Withdraw() (*types.Transaction, error)
		RedeemWinningTicket(ticket *Ticket, sig []byte, recipientRand *big.Int) (*types.Transaction, error)
		IsUsedTicket(ticket *Ticket) (bool, error)
		CheckTx(tx *types.Transaction) error
	}
	gasPriceMonitor interface{ GasPrice() *big.Int }
	recipientDoc    interface {
		ReceiveTicket(ticket *Ticket, sig []byte, seed *big.Int) (sessionID string, won bool, err error)
		RedeemWinningTicket(ticket *Ticket, sig []byte, seed *big.Int) error
		TicketParams(sender common.Address, price *big.Rat) (*TicketParams, error)
		TxCostMultiplier(sender common.Address) (*big.Rat, error)
		EV() *big.Rat
		SetMaxFaceValue(maxfacevalue *big.Int)
	}
	redeemableEmitter interface{ Redeemable() chan *redemption }
	senderDoc         interface {
		StartSession(ticketParams TicketParams) string
		CreateTicketBatch(sessionID string, size int) (*TicketBatch, error)
		ValidateTicketParams(ticketParams *TicketParams) error
		EV(sessionID string) (*big.Rat, error)
	}
	senderManager interface {
		GetSenderInfo(addr common.Address) (*SenderInfo, error)
		ClaimedReserve(reserveHolder common.Address, claimant common.Address) (*big.Int, error)
		Clear(addr common.Address)
		SubscribeReserveChange(sink chan<- common.Address) event.Subscription
	}
	senderMonitor interface {
		Start()
		Stop()
		QueueTicket(ticket *SignedTicket) error
		MaxFloat(addr common.Address) (*big.Int, error)
		ValidateSender(addr common.Address) error
	}
	sigVerifier interface {
		Verify(addr common.Address, msg, sig []byte) bool
	}
	signer interface {
		Sign(msg []byte) ([]byte, error)
		Account() accounts.Account
	}
	ticketStore interface {
		SelectEarliestWinningTicket(sender common.Address, minCreationRound int64) (*SignedTicket, error)
		RemoveWinningTicket(ticket *SignedTicket) error
		StoreWinningTicket(ticket *SignedTicket) error
		MarkWinningTicketRedeemed(ticket *SignedTicket, txHash common.Hash) error
		WinningTicketCount(sender common.Address, minCreationRound int64) (int, error)
		IsOrchActive(addr common.Address, round *big.Int) (bool, error)
	}
	timeManager interface {
		LastInitializedRound() *big.Int
		LastInitializedL1BlockHash() [32]byte
		PreLastInitializedL1BlockHash() [32]byte
		GetTranscoderPoolSize() *big.Int
		LastSeenL1Block() *big.Int
		SubscribeRounds(sink chan<- types.Log) event.Subscription
		SubscribeL1Blocks(sink chan<- *big.Int) event.Subscription
	}
	validatorDoc interface {
		ValidateTicket(recipient common.Address, ticket *Ticket, sig []byte, recipientRand *big.Int) error
		IsWinningTicket(ticket *Ticket, sig []byte, recipientRand *big.Int) bool
	}
)

var (
	_ Broker            = broker(nil)
	_ broker            = Broker(nil)
	_ GasPriceMonitor   = gasPriceMonitor(nil)
	_ gasPriceMonitor   = GasPriceMonitor(nil)
	_ Recipient         = recipientDoc(nil)
	_ recipientDoc      = Recipient(nil)
	_ RedeemableEmitter = redeemableEmitter(nil)
	_ redeemableEmitter = RedeemableEmitter(nil)
	_ Sender            = senderDoc(nil)
	_ senderDoc         = Sender(nil)
	_ SenderManager     = senderManager(nil)
	_ senderManager     = SenderManager(nil)
	_ SenderMonitor     = senderMonitor(nil)
	_ senderMonitor     = SenderMonitor(nil)
	_ SigVerifier       = sigVerifier(nil)
	_ sigVerifier       = SigVerifier(nil)
	_ Signer            = signer(nil)
	_ signer            = Signer(nil)
	_ TicketStore       = ticketStore(nil)
	_ ticketStore       = TicketStore(nil)
	_ TimeManager       = timeManager(nil)
	_ timeManager       = TimeManager(nil)
	_ Validator         = validatorDoc(nil)
	_ validatorDoc      = Validator(nil)
)

// Structs whose every field is documented convert to a literal of the same fields, in order;
// others do not.
var (
	_ = struct {
		Recipient, Sender      common.Address
		FaceValue, WinProb     *big.Int
		SenderNonce            uint32
		RecipientRandHash      common.Hash
		CreationRound          int64
		CreationRoundBlockHash common.Hash
		ParamsExpirationBlock  *big.Int
		PricePerPixel          *big.Rat
	}(Ticket{})
	_ = struct {
		*Ticket
		Sig           []byte
		RecipientRand *big.Int
	}(SignedTicket{})
	_ = struct {
		Recipient             common.Address
		FaceValue, WinProb    *big.Int
		RecipientRandHash     common.Hash
		Seed, ExpirationBlock *big.Int
		PricePerPixel         *big.Rat
		ExpirationParams      *TicketExpirationParams
	}(TicketParams{})
	_ = struct {
		CreationRound          int64
		CreationRoundBlockHash common.Hash
	}(TicketExpirationParams{})
	_ = struct {
		SenderNonce uint32
		Sig         []byte
	}(TicketSenderParams{})
	_ = struct {
		*TicketParams
		*TicketExpirationParams
		Sender       common.Address
		SenderParams []*TicketSenderParams
	}(TicketBatch{})
	_ = struct {
		EV                          *big.Int
		RedeemGas, TxCostMultiplier int
	}(TicketParamsConfig{})
	_ = struct {
		Deposit, WithdrawRound *big.Int
		Reserve                *ReserveInfo
	}(SenderInfo{})
	_ = struct {
		FundsRemaining, ClaimedInCurrentRound *big.Int
	}(ReserveInfo{})
	_ = struct{}(DefaultSigVerifier{})
)

// For structs with further fields, the address of each documented field is taken.
var (
	_ = func(c *LocalSenderMonitorConfig) {
		var (
			_ *common.Address                          = &c.Claimant
			_ *time.Duration                           = &c.CleanupInterval
			_ *int                                     = &c.TTL
			_ *int                                     = &c.RedeemGas
			_ *func(context.Context) (*big.Int, error) = &c.SuggestGasPrice
			_ *time.Duration                           = &c.RPCTimeout
		)
	}
	_ = func(s *MockSender, r *MockRecipient) {
		var (
			_ *mock.Mock = &s.Mock
			_ *mock.Mock = &r.Mock
		)
	}
)
