//! What the low twelve bits of a state mean to each kind of device (RTS2 include/status.h).

use super::DeviceState;

/// One line per name: `name: bits, meaning`.
macro_rules! bits {
    ($($(#[$heading:meta])* $name:ident: $bits:literal, $meaning:literal;)*) => {
        impl DeviceState {
            $(
                #[doc = concat!("`", stringify!($name), "`: ", $meaning, ".")]
                pub const $name: Self = Self::from_bits_retain($bits);
            )*
        }
    };
}

bits! {
    TEL_MASK_MOVING: 0x007, "mount: the bits for moving and parking";
    TEL_MOVING: 0x001, "mount: moves";
    TEL_PARKED: 0x002, "mount: parked";
    TEL_PARKING: 0x004, "mount: parks";
    TEL_WAIT_CUP: 0x008, "mount: waits for the cupola";
    TEL_TRACKING: 0x020, "mount: tracks";
    TEL_CORRECTING: 0x040, "mount: corrects";
    TEL_NEED_STOP: 0x080, "mount: has to stop or flip";
    TEL_PANNING: 0x100, "mount: pans";
    TEL_OFFSETING: 0x200, "mount: moves by an offset";
    TEL_UNSTABLE: 0x400, "mount: tracking is not stable";
    CAM_EXPOSING: 0x001, "camera: exposes";
    CAM_READING: 0x002, "camera: reads out";
    CAM_FT: 0x004, "camera: transfers a frame";
    CAM_HAS_IMAGE: 0x008, "camera: has an image";
    CAM_EXPOSING_NOIM: 0x010, "camera: exposes, without an image";
    CAM_SHIFT: 0x020, "camera: shifts";
    CAM_MASK_SHUTTER: 0x300, "camera: the bits for the shutter; none is cleared";
    CAM_SHUT_SET: 0x100, "camera: shutter set";
    CAM_SHUT_TRANS: 0x200, "camera: shutter moves";
    DOME_DOME_MASK: 0x01f, "dome and cupola: the bits for opening and closing";
    DOME_CLOSED: 0x001, "dome and cupola: closed";
    DOME_OPENING: 0x002, "dome and cupola: opens";
    DOME_OPENED: 0x004, "dome and cupola: open";
    DOME_CLOSING: 0x008, "dome and cupola: closes";
    DOME_WAIT_CLOSING: 0x010, "dome and cupola: waits to be closed";
    DOME_STOPPED: 0x020, "dome and cupola: stopped";
    DOME_CUP_MOVE: 0x040, "cupola: moves";
    DOME_CUP_SYNC: 0x080, "cupola: in front of the telescope";
    ROT_ROTATING: 0x001, "rotator: rotates";
    ROT_PA_TRACK: 0x002, "rotator: tracks the parallactic angle";
    ROT_AUTO: 0x004, "rotator: rotates by itself";
    ROT_PARKING: 0x008, "rotator: parks";
    ROT_PARKED: 0x010, "rotator: parked";
    PHOT_INTEGRATE: 0x001, "photometer: integrates";
    PHOT_FILTER_MOVE: 0x002, "photometer: its filter moves";
    FOC_FOCUSING: 0x001, "focuser: moves";
    MIRROR_MASK: 0x01f, "mirror: the bits for moving";
    MIRROR_MOVE: 0x010, "mirror: moves";
    FILTERD_MOVE: 0x002, "filter wheel: moves";
    EXEC_STATE_MASK: 0x00f, "executor: its step, 0 idle to 5 last readout";
    EXEC_MOVE: 0x001, "executor: moves to a target";
    EXEC_ACQUIRE: 0x002, "executor: acquires it";
    EXEC_ACQUIRE_WAIT: 0x003, "executor: waits for the acquisition to be processed";
    EXEC_OBSERVE: 0x004, "executor: observes";
    EXEC_LASTREAD: 0x005, "executor: waits for the last readout";
    EXEC_END: 0x010, "executor: ends after this target";
    EXEC_MASK_ACQ: 0x060, "executor: the bits for the outcome of the acquisition";
    EXEC_ACQ_OK: 0x020, "executor: acquired";
    EXEC_ACQ_FAILED: 0x040, "executor: not acquired";
    EXEC_SCRIPT_RUNNING: 0x080, "executor and web server: a script runs";
    IMGPROC_RUN: 0x001, "image processor: runs";
}
