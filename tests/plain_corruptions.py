"""The nineteen corruptions as a plain loop would apply them: one image at a time, step by step.

Written from the description of the published generator, for clarity and by other means than the package has
(SciPy's filters, whole kernels, loops over pixels), so that the tests can compare the two and the benchmark
can time them.
"""

from __future__ import annotations

import math
from io import BytesIO

import cv2
import numpy as np
from PIL import Image
from scipy import ndimage


def corrupt_plainly(name, image, draws, constants):
    """Return ``image``, uint8 (h, w, 3), under a corruption with the draws for it and its constants."""
    return np.uint8(_FUNCTIONS[name](image, draws, *constants))


def _clip(x):
    return np.clip(x, 0, 1) * 255


def _gaussian(x, sigma):
    if int(4 * sigma + 0.5) == 0:
        return x
    sigmas = (sigma, sigma, 0)[: x.ndim]
    return ndimage.gaussian_filter(x, sigmas, mode="nearest", truncate=4)


def gaussian_noise(image, normals, std):
    return _clip(image / 255.0 + std * normals)


def speckle_noise(image, normals, std):
    x = image / 255.0
    return _clip(x + x * (std * normals))


def shot_noise(image, counts, photons):
    return _clip(counts / photons)


def impulse_noise(image, draws, amount):
    flipped, salted = draws
    x = image / 255.0
    x[flipped & salted] = 1
    x[flipped & ~salted] = 0
    return _clip(x)


def gaussian_blur(image, draws, sigma):
    return _clip(_gaussian(image / 255.0, sigma))


def defocus_blur(image, draws, radius, alias_sigma):
    reach, smoothing = (8, 3) if radius <= 8 else (radius, 5)
    across = np.arange(-reach, reach + 1)
    disk = np.float32(across**2 + across[:, None] ** 2 <= radius**2)
    kernel = cv2.GaussianBlur(disk / disk.sum(), (smoothing, smoothing), alias_sigma)
    x = image / 255.0
    return _clip(np.dstack([cv2.filter2D(x[..., c], -1, kernel) for c in range(3)]))


def glass_blur(image, offsets, sigma, delta, passes):
    y = np.uint8(_clip(_gaussian(image / 255.0, sigma)))
    height, width = image.shape[:2]
    for one in offsets:
        for i, h in enumerate(range(height - delta, delta, -1)):
            for j, w in enumerate(range(width - delta, delta, -1)):
                dx, dy = one[i, j]
                y[h, w] = y[h + dy, w + dx]
    return _clip(_gaussian(y / 255.0, sigma))


def _moved(image, degrees, radius, sigma):
    """Return an image (h, w, c) under the motion blur of ImageMagick 6.9.11."""
    weights = np.exp(-(np.arange(2 * radius + 1) ** 2) / (2 * sigma**2))
    weights /= weights.sum()
    height, width = image.shape[:2]
    rows, columns = np.arange(height), np.arange(width)
    total = np.zeros(image.shape)
    for i, weight in enumerate(weights):
        dy = math.ceil(i * math.sin(math.radians(degrees)) - 0.5)
        dx = math.ceil(i * math.cos(math.radians(degrees)) - 0.5)
        y, x = np.clip(rows + dy, 0, height - 1), np.clip(columns + dx, 0, width - 1)
        total += weight * (257.0 * image[y[:, None], x])
    return np.uint8(np.floor(total + 0.5) // 257)


def motion_blur(image, uniform, radius, sigma):
    return _moved(image, -45 + 90 * uniform, radius, sigma)


def _zoomed(x, factor):
    """Return the middle of ``x`` (h, w, c) enlarged to its size."""
    height, width = x.shape[:2]
    crop = [math.ceil(side / factor) for side in (height, width)]
    top, left = (height - crop[0]) // 2, (width - crop[1]) // 2
    middle = x[top : top + crop[0], left : left + crop[1]]
    enlarged = ndimage.zoom(middle, (factor, factor, 1), order=1)
    top, left = (enlarged.shape[0] - height) // 2, (enlarged.shape[1] - width) // 2
    return enlarged[top : top + height, left : left + width]


def zoom_blur(image, draws, stop, step):
    x = np.float32(image / 255.0)
    total = np.zeros_like(x)
    factors = np.arange(1, stop, step)
    for factor in factors:
        total += _zoomed(x, factor)
    return _clip((x + total) / np.float32(len(factors) + 1))


def snow(image, draws, *constants):
    mean, std, zoom, threshold, radius, sigma, blend = constants
    flakes, uniform = draws
    layer = _zoomed((mean + std * flakes)[..., None], zoom)[..., 0]
    layer[layer < threshold] = 0
    fallen = _moved(np.uint8(_clip(layer))[..., None], -135 + 90 * uniform, radius, sigma) / 255.0
    x = np.float32(image) / np.float32(255)
    grey = cv2.cvtColor(x, cv2.COLOR_RGB2GRAY)[..., None]
    x = np.float32(blend) * x + np.float32(1 - blend) * np.maximum(x, grey * 1.5 + 0.5)
    return _clip(x + fallen + np.rot90(fallen, 2))


def frost(image, cover, image_weight, frost_weight):
    return np.clip(image_weight * image + frost_weight * cover, 0, 255)


def fog(image, uniforms, strength, decay):
    height, width = image.shape[:2]
    side = 2 ** max(1, math.ceil(math.log2(max(height, width))))
    m = np.zeros((side, side))
    step, wibble = side, 100.0

    start = 0
    while step >= 2:
        half, count = step // 2, side // step
        grid = m[::step, ::step]
        noise = wibble * (
            -wibble + 2 * wibble * uniforms[start : start + 3 * count**2].reshape(3, count, count)
        )
        columns = grid + np.roll(grid, -1, 0)
        middle = m[half::step, half::step] = (columns + np.roll(columns, -1, 1)) / 4 + noise[0]
        across = (middle + np.roll(middle, 1, 0)) + (grid + np.roll(grid, -1, 1))
        along = (middle + np.roll(middle, 1, 1)) + (grid + np.roll(grid, -1, 0))
        m[::step, half::step] = across / 4 + noise[1]
        m[half::step, ::step] = along / 4 + noise[2]
        start, step, wibble = start + 3 * count**2, half, wibble / decay
    m -= m.min()
    m /= m.max()
    x = image / 255.0
    brightest = x.max()
    return _clip((x + strength * m[:height, :width, None]) * brightest / (brightest + strength))


def _to_hsv(x):
    value, low = x.max(-1), x.min(-1)
    delta = value - low
    grey = delta == 0
    delta[grey] = 1
    red, green, blue = np.moveaxis(x, -1, 0)
    hue = (green - blue) / delta
    hue = np.where(green == value, 2 + (blue - red) / delta, hue)
    hue = np.where(blue == value, 4 + (red - green) / delta, hue)
    hue = np.where(grey, 0, hue / 6 % 1)
    return hue, np.where(grey, 0, delta / np.where(value == 0, 1, value)), value


def _to_rgb(hue, saturation, value):
    sextant = np.floor(hue * 6)
    fraction = hue * 6 - sextant
    p = value * (1 - saturation)
    q = value * (1 - fraction * saturation)
    t = value * (1 - (1 - fraction) * saturation)
    colours = ((value, t, p), (q, value, p), (p, value, t), (p, q, value), (t, p, value), (value, p, q))
    rgb = np.zeros((*hue.shape, 3))
    for number, colour in enumerate(colours):
        rgb = np.where((sextant % 6 == number)[..., None], np.stack(colour, -1), rgb)
    return rgb


def brightness(image, draws, added):
    hue, saturation, value = _to_hsv(image / 255.0)
    return _clip(_to_rgb(hue, saturation, np.clip(value + added, 0, 1)))


def saturate(image, draws, factor, added):
    hue, saturation, value = _to_hsv(image / 255.0)
    return _clip(_to_rgb(hue, np.clip(saturation * factor + added, 0, 1), value))


def contrast(image, draws, factor):
    x = image / 255.0
    means = x.mean(axis=(0, 1))
    return _clip((x - means) * factor + means)


def _mirrored(index, side):
    """Return indices outside 0..side-1 as those inside that they mirror; the edge is not repeated."""
    index = np.abs(index) % (2 * side - 2)
    return np.minimum(index, 2 * side - 2 - index)


def elastic_transform(image, draws, alpha, sigma, affine_range):
    uniforms, fields = draws
    height, width = image.shape[:2]
    middle, arm = np.array((height // 2, width // 2)), min(height, width) // 3
    corners = np.float32(middle + np.array(((arm, arm), (arm, -arm), (-arm, -arm))))
    moved = corners + np.float32(-affine_range + 2 * affine_range * uniforms)
    a, b, c = cv2.invertAffineTransform(cv2.getAffineTransform(corners, moved)).T
    rows, columns = np.indices((height, width))
    x = np.float32(image) / np.float32(255)
    position = [  # in 1/32 pixel, as OpenCV 3 and 4 round it
        np.rint((b[k] * rows + c[k]) * 1024).astype(int) + np.rint(a[k] * columns * 1024).astype(int) + 16
        >> 5
        for k in (1, 0)
    ]
    y, column = (p >> 5 for p in position)
    fy, fx = (np.float32(p & 31)[..., None] / np.float32(32) for p in position)
    y, y1 = _mirrored(y, height), _mirrored(y + 1, height)
    column, column1 = _mirrored(column, width), _mirrored(column + 1, width)
    upper = x[y, column] * (1 - fy) * (1 - fx) + x[y, column1] * (1 - fy) * fx
    x = upper + x[y1, column] * fy * (1 - fx) + x[y1, column1] * fy * fx
    if alpha:
        dx, dy = (
            np.float32(ndimage.gaussian_filter(2.0 * f - 1, sigma, mode="reflect", truncate=3) * alpha)
            for f in fields
        )
        where = rows + dy.astype(float), columns + dx.astype(float)
        planes = [ndimage.map_coordinates(x[..., k], where, order=1, mode="reflect") for k in range(3)]
        x = np.stack(planes, -1)
    return _clip(x)


def pixelate(image, draws, factor):
    height, width = image.shape[:2]
    small = Image.fromarray(image).resize((int(width * factor), int(height * factor)), Image.Resampling.BOX)
    return np.array(small.resize((width, height), Image.Resampling.BOX))


def jpeg_compression(image, draws, quality):
    file = BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality)
    return np.array(Image.open(file))


def spatter(image, normals, *constants):
    mean, std, sigma, threshold, strength_or_mud_sigma, is_mud = constants
    layer = _gaussian(mean + std * normals, sigma)
    layer[layer < threshold] = 0
    x = np.float32(image) / np.float32(255)
    if is_mud:
        cover = _gaussian(np.where(layer > threshold, 1.0, 0.0), strength_or_mud_sigma)[..., None]
        cover[cover < 0.8] = 0
        colour = np.float32(np.array((63, 42, 20)) / 255)
        return _clip(np.float32(x * (1 - cover)) + np.float32(colour * cover))
    layer = np.uint8(_clip(layer))
    edges = cv2.Canny(layer, 50, 150)
    distance = np.minimum(cv2.distanceTransform(255 - edges, cv2.DIST_L2, 5), 20)
    relief = cv2.equalizeHist(np.uint8(cv2.blur(distance, (3, 3))))
    relief = cv2.filter2D(relief, cv2.CV_8U, np.array(((-2, -1, 0), (-1, 1, 1), (0, 1, 2))))
    light = layer * np.float32(cv2.blur(relief, (3, 3)))
    light = light / max(light.max(), 1) * np.float32(strength_or_mud_sigma)
    return _clip(x + light[..., None] * (np.float32((175, 238, 238)) / np.float32(255)))


_FUNCTIONS = {
    function.__name__: function
    for function in (
        gaussian_noise,
        shot_noise,
        impulse_noise,
        defocus_blur,
        glass_blur,
        motion_blur,
        zoom_blur,
        snow,
        frost,
        fog,
        brightness,
        contrast,
        elastic_transform,
        pixelate,
        jpeg_compression,
        speckle_noise,
        gaussian_blur,
        spatter,
        saturate,
    )
}
