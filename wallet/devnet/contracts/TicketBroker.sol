// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {BondingManager} from "./BondingManager.sol";
import {Controller} from "./Controller.sol";
import {Managed} from "./Managed.sol";
import {Minter} from "./Minter.sol";
import {RoundsManager} from "./RoundsManager.sol";
import {Ticket, Tickets} from "./Tickets.sol";

/// @title TicketBroker
/// @notice Keeps the senders' deposits and reserves and pays winning tickets with
/// them. Deposits come first; the reserve pays what a face value exceeds the
/// deposit by, to active transcoders only, each no more than its share in a round.
/// @dev The ETH itself is in the Minter. All settings are immutable, so that the
/// code works the same behind a ManagerProxy.
contract TicketBroker is Managed {
    using Tickets for Ticket;

    struct Sender {
        uint256 deposit;
        uint256 withdrawRound; // 0 until the sender unlocks
    }

    struct ReserveInfo {
        uint256 fundsRemaining;
        uint256 claimedInCurrentRound;
    }

    struct Reserve {
        uint256 funds;
        mapping(uint256 => uint256) claimedForRound;
        mapping(uint256 => mapping(address => uint256)) claimedByAddress;
    }

    /// @notice Rounds between an unlock and the withdrawal.
    uint256 public immutable unlockPeriod;

    /// @notice Rounds, from its creation round on, in which a ticket can be redeemed.
    uint256 public immutable ticketValidityPeriod;

    mapping(bytes32 => bool) public usedTickets;

    mapping(address => Sender) private senders;
    mapping(address => Reserve) private reserves;

    event DepositFunded(address indexed sender, uint256 amount);
    event ReserveFunded(address indexed reserveHolder, uint256 amount);
    event Unlock(address indexed sender, uint256 startRound, uint256 endRound);
    event UnlockCancelled(address indexed sender);
    event Withdrawal(address indexed sender, uint256 deposit, uint256 reserve);
    event ReserveClaimed(address indexed reserveHolder, address claimant, uint256 amount);
    event WinningTicketTransfer(address indexed sender, address indexed recipient, uint256 amount);
    event WinningTicketRedeemed(
        address indexed sender,
        address indexed recipient,
        uint256 faceValue,
        uint256 winProb,
        uint256 senderNonce,
        uint256 recipientRand,
        bytes auxData
    );

    modifier currentRoundInitialized() {
        require(roundsManager().currentRoundInitialized(), "current round is not initialized");
        _;
    }

    modifier splits(uint256 _depositAmount, uint256 _reserveAmount) {
        // A sum that overflows equals no value either.
        require(
            _depositAmount <= msg.value && msg.value - _depositAmount == _reserveAmount,
            "msg.value does not equal sum of deposit amount and reserve amount"
        );
        _;
    }

    constructor(Controller _controller, uint256 _unlockPeriod, uint256 _ticketValidityPeriod) Managed(_controller) {
        unlockPeriod = _unlockPeriod;
        ticketValidityPeriod = _ticketValidityPeriod;
    }

    // Funding

    function fundDeposit() external payable whenSystemNotPaused {
        addDeposit(msg.sender, msg.value);
        minter().depositETH{value: msg.value}();
    }

    function fundReserve() external payable whenSystemNotPaused {
        addReserve(msg.sender, msg.value);
        minter().depositETH{value: msg.value}();
    }

    function fundDepositAndReserve(uint256 _depositAmount, uint256 _reserveAmount)
        external
        payable
        whenSystemNotPaused
        splits(_depositAmount, _reserveAmount)
    {
        addDeposit(msg.sender, _depositAmount);
        addReserve(msg.sender, _reserveAmount);
        minter().depositETH{value: msg.value}();
    }

    function fundDepositAndReserveFor(address _addr, uint256 _depositAmount, uint256 _reserveAmount)
        external
        payable
        whenSystemNotPaused
        splits(_depositAmount, _reserveAmount)
    {
        addDeposit(_addr, _depositAmount);
        addReserve(_addr, _reserveAmount);
        minter().depositETH{value: msg.value}();
    }

    function addDeposit(address _sender, uint256 _amount) private {
        senders[_sender].deposit += _amount;
        stayLocked(_sender);
        emit DepositFunded(_sender, _amount);
    }

    function addReserve(address _holder, uint256 _amount) private {
        reserves[_holder].funds += _amount;
        stayLocked(_holder);
        emit ReserveFunded(_holder, _amount);
    }

    // Funding itself cancels a sender's unlock. No other account can cancel it.
    function stayLocked(address _sender) private {
        if (_sender == msg.sender && isUnlockInProgress(_sender)) {
            clearUnlock(_sender);
        }
    }

    // Withdrawal

    function unlock() external whenSystemNotPaused {
        requireFunds(msg.sender);
        require(!isUnlockInProgress(msg.sender), "unlock already initiated");

        uint256 round = roundsManager().currentRound();
        uint256 withdrawRound = round + unlockPeriod;
        senders[msg.sender].withdrawRound = withdrawRound;
        emit Unlock(msg.sender, round, withdrawRound);
    }

    function cancelUnlock() external whenSystemNotPaused {
        require(isUnlockInProgress(msg.sender), "no unlock request in progress");
        clearUnlock(msg.sender);
    }

    function clearUnlock(address _sender) private {
        senders[_sender].withdrawRound = 0;
        emit UnlockCancelled(_sender);
    }

    /// @notice Pays out deposit and reserve, all of both. The withdraw round stays
    /// as it is: until it is cleared, the account stays unlocked.
    function withdraw() external whenSystemNotPaused {
        requireFunds(msg.sender);
        require(isUnlockInProgress(msg.sender), "no unlock request in progress");
        require(isUnlocked(msg.sender), "account is locked");

        uint256 deposit = senders[msg.sender].deposit;
        uint256 reserve = reserves[msg.sender].funds;
        senders[msg.sender].deposit = 0;
        reserves[msg.sender].funds = 0;
        minter().trustedWithdrawETH(payable(msg.sender), deposit + reserve);
        emit Withdrawal(msg.sender, deposit, reserve);
    }

    // Redemption

    function redeemWinningTicket(Ticket memory _ticket, bytes memory _sig, uint256 _recipientRand)
        external
        whenSystemNotPaused
        currentRoundInitialized
    {
        bytes32 ticketHash = _ticket.hash();
        uint256 creationRound = requireWinner(_ticket, ticketHash, _sig, _recipientRand);
        require(!isUnlocked(_ticket.sender), "sender is unlocked");
        requireFunds(_ticket.sender);

        usedTickets[ticketHash] = true;
        uint256 amount = debit(_ticket.sender, _ticket.recipient, _ticket.faceValue);
        if (amount > 0) {
            bondingManager().updateTranscoderWithFees(_ticket.recipient, amount, creationRound);
            emit WinningTicketTransfer(_ticket.sender, _ticket.recipient, amount);
        }
        emit WinningTicketRedeemed(
            _ticket.sender,
            _ticket.recipient,
            _ticket.faceValue,
            _ticket.winProb,
            _ticket.senderNonce,
            _recipientRand,
            _ticket.auxData
        );
    }

    /// @notice Redeems what can be redeemed and passes over the rest.
    function batchRedeemWinningTickets(
        Ticket[] memory _tickets,
        bytes[] memory _sigs,
        uint256[] memory _recipientRands
    ) external whenSystemNotPaused currentRoundInitialized {
        for (uint256 i = 0; i < _tickets.length; i++) {
            try this.redeemWinningTicket(_tickets[i], _sigs[i], _recipientRands[i]) {} catch {}
        }
    }

    function requireWinner(Ticket memory _ticket, bytes32 _ticketHash, bytes memory _sig, uint256 _recipientRand)
        private
        view
        returns (uint256 creationRound)
    {
        require(_ticket.recipient != address(0), "ticket recipient is null address");
        require(_ticket.sender != address(0), "ticket sender is null address");
        creationRound = requireValidAuxData(_ticket.auxData);
        require(
            keccak256(abi.encodePacked(_recipientRand)) == _ticket.recipientRandHash,
            "recipientRand does not match recipientRandHash"
        );
        require(!usedTickets[_ticketHash], "ticket is used");
        require(Tickets.signer(_ticketHash, _sig) == _ticket.sender, "invalid signature over ticket hash");
        require(_ticket.wins(_sig, _recipientRand), "ticket did not win");
    }

    function requireValidAuxData(bytes memory _auxData) private view returns (uint256 creationRound) {
        require(_auxData.length == 64, "invalid length for ticket auxData: must be 64 bytes");
        bytes32 creationRoundBlockHash;
        (creationRound, creationRoundBlockHash) = abi.decode(_auxData, (uint256, bytes32));

        RoundsManager rounds = roundsManager();
        bytes32 blockHash = rounds.blockHashForRound(creationRound);
        require(blockHash != bytes32(0), "ticket creationRound does not have a block hash");
        require(
            creationRoundBlockHash == blockHash, "ticket creationRoundBlockHash invalid for creationRound"
        );
        require(creationRound + ticketValidityPeriod > rounds.currentRound(), "ticket is expired");
    }

    /// @return amount What the sender's deposit and reserve can pay of _faceValue.
    function debit(address _sender, address _recipient, uint256 _faceValue) private returns (uint256 amount) {
        Sender storage sender = senders[_sender];
        if (_faceValue <= sender.deposit) {
            sender.deposit -= _faceValue;
            return _faceValue;
        }
        uint256 deposit = sender.deposit;
        sender.deposit = 0;
        return deposit + claimFromReserve(_sender, _recipient, _faceValue - deposit);
    }

    function claimFromReserve(address _holder, address _claimant, uint256 _amount) private returns (uint256) {
        uint256 claimable = claimableReserve(_holder, _claimant);
        uint256 claimed = _amount < claimable ? _amount : claimable;
        if (claimed > 0) {
            uint256 round = roundsManager().currentRound();
            Reserve storage reserve = reserves[_holder];
            reserve.funds -= claimed;
            reserve.claimedForRound[round] += claimed;
            reserve.claimedByAddress[round][_claimant] += claimed;
            emit ReserveClaimed(_holder, _claimant, claimed);
        }
        return claimed;
    }

    // Views

    function getSenderInfo(address _sender)
        external
        view
        returns (Sender memory sender, ReserveInfo memory reserve)
    {
        sender = senders[_sender];
        Reserve storage r = reserves[_sender];
        reserve = ReserveInfo(r.funds, r.claimedForRound[roundsManager().currentRound()]);
    }

    /// @return What _claimant may still claim from _holder's reserve in this round.
    function claimableReserve(address _holder, address _claimant) public view returns (uint256) {
        BondingManager bonding = bondingManager();
        uint256 poolSize = bonding.getTranscoderPoolSize();
        if (poolSize == 0 || !bonding.isActiveTranscoder(_claimant)) {
            return 0;
        }
        uint256 round = roundsManager().currentRound();
        Reserve storage reserve = reserves[_holder];
        uint256 share = (reserve.funds + reserve.claimedForRound[round]) / poolSize;
        uint256 claimed = reserve.claimedByAddress[round][_claimant];
        if (share <= claimed) {
            return 0;
        }
        // The pool of this network can change within a round, and then shares do not
        // add up: never promise what is not there.
        uint256 left = share - claimed;
        return left < reserve.funds ? left : reserve.funds;
    }

    /// @return What _claimant has claimed from _holder's reserve in this round.
    function claimedReserve(address _holder, address _claimant) external view returns (uint256) {
        return reserves[_holder].claimedByAddress[roundsManager().currentRound()][_claimant];
    }

    function getTicketHash(Ticket memory _ticket) external pure returns (bytes32) {
        return _ticket.hash();
    }

    function isUnlockInProgress(address _sender) public view returns (bool) {
        return senders[_sender].withdrawRound > 0;
    }

    function isUnlocked(address _sender) private view returns (bool) {
        return isUnlockInProgress(_sender) && senders[_sender].withdrawRound <= roundsManager().currentRound();
    }

    function requireFunds(address _sender) private view {
        require(
            senders[_sender].deposit > 0 || reserves[_sender].funds > 0, "sender deposit and reserve are zero"
        );
    }

    // Other contracts

    function minter() private view returns (Minter) {
        return Minter(registered("Minter"));
    }

    function bondingManager() private view returns (BondingManager) {
        return BondingManager(registered("BondingManager"));
    }

    function roundsManager() private view returns (RoundsManager) {
        return RoundsManager(registered("RoundsManager"));
    }
}
