// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Controller} from "./Controller.sol";
import {Managed} from "./Managed.sol";
import {RoundsManager} from "./RoundsManager.sol";

/// @title BondingManager
/// @notice The pool of active transcoders, and what each has earned. Nothing is bonded
/// here: the controller's owner decides who is registered and who is active.
contract BondingManager is Managed {
    enum TranscoderStatus {
        NotRegistered,
        Registered
    }

    // Static structs are encoded as their fields are, one after the other: callers that
    // expect these as separate results read them alike.
    struct Transcoder {
        uint256 lastRewardRound;
        uint256 rewardCut;
        uint256 feeShare;
        uint256 lastActiveStakeUpdateRound;
        uint256 activationRound;
        uint256 deactivationRound;
        uint256 activeCumulativeRewards;
        uint256 cumulativeRewards;
        uint256 cumulativeFees;
        uint256 lastFeeRound;
    }

    struct EarningsPool {
        uint256 totalStake;
        uint256 transcoderRewardCut;
        uint256 transcoderFeeShare;
        uint256 cumulativeRewardFactor;
        uint256 cumulativeFeeFactor;
    }

    /// @notice What each registered transcoder counts as having bonded. Gateways choose
    /// by stake, and would never choose one that has none.
    uint256 public constant NOMINAL_STAKE = 1 ether;

    uint256 private constant POOL_MAX_SIZE = 100;

    mapping(address => bool) public isRegisteredTranscoder;

    /// @notice What a transcoder has earned so far, in wei.
    mapping(address => uint256) public fees;

    /// @notice What a transcoder has earned with tickets of one creation round, in wei.
    mapping(address => mapping(uint256 => uint256)) public feesForRound;

    address[] private pool;
    mapping(address => uint256) private place; // in the pool, from 1; 0 is outside
    uint256 private registeredCount;

    mapping(address => uint256) private activationRound;
    mapping(address => uint256) private deactivationRound;

    event TranscoderActivated(address indexed transcoder);
    event TranscoderDeactivated(address indexed transcoder);
    event TranscoderFeesUpdated(address indexed transcoder, uint256 fees, uint256 round);

    constructor(Controller _controller) Managed(_controller) {}

    /// @notice Registers a transcoder and puts it at the end of the pool.
    function addTranscoder(address _transcoder) external onlyControllerOwner {
        require(_transcoder != address(0), "transcoder is null address");
        require(place[_transcoder] == 0, "transcoder is already active");
        if (!isRegisteredTranscoder[_transcoder]) {
            isRegisteredTranscoder[_transcoder] = true;
            registeredCount++;
        }
        activationRound[_transcoder] = currentRound();
        deactivationRound[_transcoder] = type(uint256).max;
        pool.push(_transcoder);
        place[_transcoder] = pool.length;
        emit TranscoderActivated(_transcoder);
    }

    /// @notice Takes a transcoder out of the pool; it stays registered, so that it
    /// is still paid from deposits but no longer from reserves.
    function deactivateTranscoder(address _transcoder) public onlyControllerOwner {
        uint256 at = place[_transcoder];
        require(at != 0, "transcoder is not active");
        for (uint256 i = at; i < pool.length; i++) {
            pool[i - 1] = pool[i];
            place[pool[i]] = i;
        }
        pool.pop();
        delete place[_transcoder];
        deactivationRound[_transcoder] = currentRound();
        emit TranscoderDeactivated(_transcoder);
    }

    /// @notice Takes a transcoder out of the pool and of the register.
    function removeTranscoder(address _transcoder) external onlyControllerOwner {
        require(isRegisteredTranscoder[_transcoder], "transcoder must be registered");
        if (place[_transcoder] != 0) {
            deactivateTranscoder(_transcoder);
        }
        delete isRegisteredTranscoder[_transcoder];
        registeredCount--;
    }

    /// @notice Books the payment of a winning ticket.
    function updateTranscoderWithFees(address _transcoder, uint256 _fees, uint256 _round)
        external
        whenSystemNotPaused
    {
        require(msg.sender == registered("TicketBroker"), "caller must be TicketBroker");
        require(isRegisteredTranscoder[_transcoder], "transcoder must be registered");
        fees[_transcoder] += _fees;
        feesForRound[_transcoder][_round] += _fees;
        emit TranscoderFeesUpdated(_transcoder, _fees, _round);
    }

    function isActiveTranscoder(address _transcoder) external view returns (bool) {
        return place[_transcoder] != 0;
    }

    function getTranscoderPoolSize() external view returns (uint256) {
        return pool.length;
    }

    /// @return The first of the pool, zero when the pool is empty.
    function getFirstTranscoderInPool() external view returns (address) {
        return pool.length == 0 ? address(0) : pool[0];
    }

    /// @return The one after _transcoder, zero after the last and for an outsider.
    function getNextTranscoderInPool(address _transcoder) external view returns (address) {
        uint256 at = place[_transcoder];
        return at == 0 || at == pool.length ? address(0) : pool[at];
    }

    function getTranscoderPoolMaxSize() external pure returns (uint256) {
        return POOL_MAX_SIZE;
    }

    function getTotalBonded() external view returns (uint256) {
        return registeredCount * NOMINAL_STAKE;
    }

    function transcoderStatus(address _transcoder) external view returns (TranscoderStatus) {
        return isRegisteredTranscoder[_transcoder] ? TranscoderStatus.Registered : TranscoderStatus.NotRegistered;
    }

    function transcoderTotalStake(address _transcoder) public view returns (uint256) {
        return isRegisteredTranscoder[_transcoder] ? NOMINAL_STAKE : 0;
    }

    /// @notice A transcoder is active from its activation round until before its
    /// deactivation round. There are no rewards, so that what counts them is 0. So is the
    /// last round with fees: to keep it would make a redemption cost more gas at the
    /// beginning of a round than was estimated just before.
    function getTranscoder(address _transcoder) external view returns (Transcoder memory transcoder) {
        transcoder.lastActiveStakeUpdateRound = activationRound[_transcoder];
        transcoder.activationRound = activationRound[_transcoder];
        transcoder.deactivationRound = deactivationRound[_transcoder];
        transcoder.cumulativeFees = fees[_transcoder];
    }

    /// @notice The total stake is the nominal one in rounds in which the transcoder is
    /// active, else 0.
    function getTranscoderEarningsPoolForRound(address _transcoder, uint256 _round)
        external
        view
        returns (EarningsPool memory earnings)
    {
        if (activationRound[_transcoder] <= _round && _round < deactivationRound[_transcoder]) {
            earnings.totalStake = transcoderTotalStake(_transcoder);
        }
    }

    function currentRound() private view returns (uint256) {
        return RoundsManager(registered("RoundsManager")).currentRound();
    }
}
